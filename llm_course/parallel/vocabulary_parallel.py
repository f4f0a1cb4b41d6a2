"""Embedding and loss with the vocabulary dealt out: no rank ever holds all logits.

Rank ``r`` of ``t`` has the rows ``r V/t`` to ``(r + 1) V/t - 1`` of the matrix, as embedding and as
output. The loss needs three numbers a position from the others: the largest logit, the sum of the
exponentials, and the target's logit.
"""

import torch
from torch import Tensor, nn

from llm_course.parallel.collectives import all_reduce
from llm_course.parallel.group import Group
from llm_course.parallel.regions import leave
from llm_course.shapes import check_shape
from llm_course.training.loss import IGNORE


def vocabulary_embedding(weight: Tensor, tokens: Tensor, group: Group, purpose: str = "") -> Tensor:
    """Each token's row, from the rank that has it: zeros from the others, then a sum.

    Args:
        weight: this rank's rows.
        tokens: token ids of the whole vocabulary.
        group: the ranks that share it.
        purpose: what the ledger enters.

    Shapes:
        weight ``v/n d``; tokens ``b t``; returns ``b t d``.

    Raises:
        IndexError: a token is outside the vocabulary.
        RankLost: a rank is not there.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3.

    >>> weight = torch.tensor([[1.0], [2.0]])
    >>> vocabulary_embedding(weight, torch.tensor([[1, 0]]), Group(name="tensor")).tolist()
    [[[2.0], [1.0]]]
    """
    n_rows = weight.shape[0]
    if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < n_rows * group.size:
        raise IndexError("tokens: a token id is outside the vocabulary.")
    local, mine = _local(tokens, n_rows, group)
    rows = nn.functional.embedding(local, weight)
    return leave(rows.masked_fill(~mine.unsqueeze(-1), 0.0), group, purpose)


class _VocabularyLoss(torch.autograd.Function):
    """The loss with its gradient in this rank's logits, ``softmax - onehot``."""

    @staticmethod
    def forward(ctx, logits: Tensor, targets: Tensor, group: Group) -> Tensor:
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        counts = targets != IGNORE
        local, mine = _local(targets.where(counts, 0), logits.shape[-1], group)
        largest = all_reduce(wide.amax(dim=-1), group, "loss maximum", "max")
        exponentials = (wide - largest.unsqueeze(-1)).exp()
        total = all_reduce(exponentials.sum(dim=-1), group, "loss sum")
        chosen = wide.gather(-1, local.unsqueeze(-1)).squeeze(-1) - largest
        chosen = all_reduce(chosen.masked_fill(~mine, 0.0), group, "loss target")
        n = counts.sum().clamp(min=1)
        p = exponentials / total.unsqueeze(-1)
        # The target's logit is on one rank alone; elsewhere nothing is taken off.
        p.scatter_add_(-1, local.unsqueeze(-1), -mine.to(p.dtype).unsqueeze(-1))
        p *= counts.to(p.dtype).unsqueeze(-1) / n
        ctx.save_for_backward(p.to(logits.dtype))
        return (total.log() - chosen).where(counts, 0.0).sum() / n

    @staticmethod
    def backward(ctx, slope: Tensor) -> tuple[Tensor, None, None]:
        (grad,) = ctx.saved_tensors
        return grad * slope.to(grad.dtype), None, None


def vocabulary_cross_entropy(logits: Tensor, targets: Tensor, group: Group) -> Tensor:
    """The mean cross-entropy of logits whose vocabulary is dealt out; the same on all ranks.

    ``log(sum exp(logits - m)) - (logit[target] - m)`` with the largest logit ``m``, where the
    maximum, the sum and the target's logit are all-reduced: ``3 b t`` numbers instead of
    ``b t v``. Targets that are ``IGNORE`` do not count.

    Args:
        logits: of this rank's token ids.
        targets: ids of the whole vocabulary.
        group: the ranks that share it.

    Shapes:
        logits ``... v/n``; targets ``...``; returns a scalar, fp32 at least.

    Raises:
        RankLost: a rank is not there.
        ShapeError: there are not as many targets as rows of logits.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3.

    >>> logits = torch.tensor([[[1.0, 3.0]]]).log()  # probabilities 1/4 and 3/4
    >>> loss = vocabulary_cross_entropy(logits, torch.tensor([[0]]), Group(name="tensor"))
    >>> round(loss.item(), 4)  # log 4
    1.3863
    """
    check_shape(logits.flatten(0, -2), "n v", "logits", n=targets.numel())
    return _VocabularyLoss.apply(logits, targets, group)


class VocabularyEmbedding(nn.Embedding):
    """``vocabulary_embedding`` with this rank's rows of a whole embedding.

    Args:
        whole: what is dealt out; its rows are copied.
        group: the ranks that share it.

    Raises:
        ValueError: the ranks do not divide the vocabulary.
    """

    def __init__(self, whole: nn.Embedding, group: Group) -> None:
        if whole.num_embeddings % group.size:
            raise ValueError(
                f"vocab_size: expected a multiple of {group.size} ranks, got "
                f"{whole.num_embeddings}. Fix: add unused ids up to the next multiple."
            )
        rows = whole.weight.detach().chunk(group.size)[group.rank].clone()
        super().__init__(*rows.shape, _weight=rows)
        self.group = group
        self.num_embeddings = whole.num_embeddings

    def forward(self, tokens: Tensor) -> Tensor:
        """Shapes: tokens ``b t``; returns ``b t d``."""
        return vocabulary_embedding(self.weight, tokens, self.group, "embedding")


def _local(ids: Tensor, n_rows: int, group: Group) -> tuple[Tensor, Tensor]:
    """The place of each id among this rank's rows (0 if it is elsewhere), and whether it is here.

    Shapes:
        ids any; returns two of that shape.
    """
    place = ids - group.rank * n_rows
    mine = (place >= 0) & (place < n_rows)
    return place.where(mine, 0), mine
