"""The objective of a prefix decoder: the prefix is given, only what follows it is to be predicted.

The mask (``masks.prefix_mask``) lets the prefix look at its own future. Were the loss taken there
as well, the model would be paid for copying what it sees. So the two belong together.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_course.model.masks import check_prefix_lengths, prefix_mask
from llm_course.shapes import check_shape


def suffix_targets(n_tokens: int, prefix_lengths: Tensor) -> Tensor:
    """Which tokens count in the loss: those after the prefix.

    It lies along the tokens. The logits at position ``i`` are for token ``i + 1``, so the mask of
    the shifted targets is ``suffix_targets(...)[:, 1:]``.

    Args:
        n_tokens: number of positions, prefix and continuation together.
        prefix_lengths: how many tokens the prefix of each sequence has.

    Shapes:
        prefix_lengths ``b``; returns ``b t``, bool, True = counts.

    Raises:
        TypeError, ShapeError, ValueError: as ``masks.prefix_mask``.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, section 3.2.3.

    >>> suffix_targets(4, torch.tensor([1, 3])).int().tolist()
    [[0, 1, 1, 1], [0, 0, 0, 1]]
    """
    check_prefix_lengths(n_tokens, prefix_lengths)
    token = torch.arange(n_tokens, device=prefix_lengths.device)
    return token >= prefix_lengths[:, None]


def prefix_lm(n_tokens: int, prefix_lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What makes a prefix LM of a decoder: its mask, and which tokens count in its loss.

    Args:
        n_tokens: number of positions, prefix and continuation together.
        prefix_lengths: how many tokens the prefix of each sequence has.

    Shapes:
        prefix_lengths ``b``; returns ``b 1 q k``, True = may attend, and ``b t``, True = counts.

    Raises:
        TypeError, ShapeError, ValueError: as ``masks.prefix_mask``.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, sections 3.2.1 and 3.2.3.

    >>> mask, counts = prefix_lm(3, torch.tensor([2]))
    >>> mask.int().tolist(), counts.int().tolist()
    ([[[[1, 1, 0], [1, 1, 0], [1, 1, 1]]]], [[0, 0, 1]])
    """
    return prefix_mask(n_tokens, prefix_lengths), suffix_targets(n_tokens, prefix_lengths)


def prefix_lm_loss(logits: Tensor, tokens: Tensor, prefix_lengths: Tensor) -> Tensor:
    """Mean negative log-likelihood of the tokens after the prefix, in nats a token.

    ``-mean log p(x_t | x_<t)`` over the tokens ``t >= prefix_length``; the first token of a text
    has nothing before it and never counts. Every counted token of the batch weighs the same.

    Args:
        logits: of the next token, at each position, under ``masks.prefix_mask``.
        tokens: the ids that the model read.
        prefix_lengths: how many tokens the prefix of each sequence has.

    Shapes:
        logits ``b t v``; tokens ``b t``; prefix_lengths ``b``; returns a scalar.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: no token is left to predict, or a length is out of range.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, section 3.2.3.

    >>> certain_of_1 = torch.tensor([[[0.0, 99.0]] * 3])
    >>> tokens = torch.tensor([[0, 0, 1]])
    >>> prefix_lm_loss(certain_of_1, tokens, torch.tensor([2])).item()  # the 1 alone counts
    0.0
    >>> prefix_lm_loss(certain_of_1, tokens, torch.tensor([1])).item()  # (99 + 0) / 2
    49.5
    """
    sizes = check_shape(tokens, "b t", "tokens")
    check_shape(logits, "b t v", "logits", **sizes)
    check_shape(prefix_lengths, "b", "prefix_lengths", b=sizes["b"])
    counts = suffix_targets(sizes["t"], prefix_lengths)[:, 1:]
    if not counts.any():
        raise ValueError(
            f"prefix_lengths: expected a token after some prefix, got {prefix_lengths.tolist()} "
            f"for texts of {sizes['t']} tokens."
        )
    return F.cross_entropy(logits[:, :-1][counts], tokens[:, 1:][counts].long())
