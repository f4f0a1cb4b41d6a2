"""Cross-entropy of the next token: the plain formula, and the loss that a decoder is trained by.

Leaves out label smoothing and weights of classes.
"""

import torch
from einops import rearrange
from torch import Tensor

from llm_course.model.decoder import Decoder
from llm_course.shapes import check_shape
from llm_course.training.chunked_loss import linear_cross_entropy
from llm_course.training.targets import IGNORE, check_rows, counted_targets


def cross_entropy(
    logits: Tensor, targets: Tensor, ignore_index: int = IGNORE, z_weight: float = 0.0
) -> Tensor:
    """The mean surprise at the targets: ``-log softmax(logits)[target]``, in nats.

    The mean is over the targets that count. If none does the loss is 0, where PyTorch's is NaN.
    With ``Z = sum exp(logits)``, ``z_weight * (log Z)²`` is added at each of them: the softmax does
    not see a number that is added to all logits, and this keeps it from drifting away.

    Args:
        logits: unnormalised log-probabilities.
        targets: ids of what came.
        ignore_index: the target of positions that do not count.
        z_weight: of the z-loss; 0 leaves it out.

    Shapes:
        logits ``... v``; targets ``...``; returns a scalar, fp32 at least.

    Raises:
        ShapeError: there are not as many targets as rows of logits.
        TypeError: the targets are not integers.
        ValueError: a target is out of range.

    Source:
        Bengio et al. 2003, *A Neural Probabilistic Language Model*, section 2 (the L of training);
        the z-loss: Chowdhery et al. 2022, arXiv:2204.02311, section 5.

    >>> logits = torch.tensor([[1.0, 3.0], [1.0, 1.0]]).log()  # probabilities 1/4 and 3/4
    >>> round(cross_entropy(logits, torch.tensor([0, IGNORE])).item(), 4)  # log 4
    1.3863
    """
    logits, targets = check_rows(logits, "logits", targets)
    targets, counts = counted_targets(targets, logits.shape[1], ignore_index)
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    normaliser = wide.logsumexp(dim=-1)  # log Z
    surprise = normaliser - wide.gather(1, rearrange(targets, "n -> n 1")).squeeze(1)
    if z_weight:
        surprise = surprise + z_weight * normaliser.square()
    return surprise.where(counts, 0.0).sum() / counts.sum().clamp(min=1)


def shift(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Cut sequences into what is read and what is to be foretold: the same, one token later.

    Shapes:
        tokens ``b t``; returns inputs and targets, ``b t-1`` each.

    >>> inputs, targets = shift(torch.tensor([[5, 6, 7]]))
    >>> inputs.tolist(), targets.tolist()
    ([[5, 6]], [[6, 7]])
    """
    check_shape(tokens, "b t", "tokens")
    return tokens[:, :-1], tokens[:, 1:]


def next_token_loss(
    model: Decoder,
    tokens: Tensor,
    targets: Tensor,
    chunk_size: int = 256,
    z_weight: float = 0.0,
) -> Tensor:
    """The mean surprise of a decoder at the targets, in nats a token, without all its logits.

    Args:
        model: the decoder.
        tokens: what it reads.
        targets: what follows each token (``shift``); ``IGNORE`` where that does not count.
        chunk_size: positions whose logits are held at a time.
        z_weight: of the z-loss (``cross_entropy``); 0 leaves it out.

    Shapes:
        tokens, targets ``b t``; returns a scalar.
    """
    features = model.features(tokens)
    return linear_cross_entropy(
        features, model.output_weight, targets, chunk_size=chunk_size, z_weight=z_weight
    )
