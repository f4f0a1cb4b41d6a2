"""Softmax over keys that arrive in pieces: two partial results merge into one, exactly.

A piece is kept as three numbers for each query: the largest score, the sum of ``exp(score -
largest)``, and the values weighted by the same. Nothing else of the piece is needed again.
"""

from typing import NamedTuple

import torch
from einops import einsum, reduce
from torch import Tensor


class Partial(NamedTuple):
    """Attention over some of the keys.

    Shapes:
        largest, total ``... q``; weighted ``... q d``.
    """

    largest: Tensor
    total: Tensor
    weighted: Tensor


def partial_attention(scores: Tensor, value: Tensor) -> Partial:
    """Attention over one piece of the keys; a hidden key has the score ``-inf``.

    Shapes:
        scores ``... q k``; value broadcasts to ``... k d``.
    """
    largest = reduce(scores, "... q k -> ... q", "max")
    exponentials = (scores - _finite(largest).unsqueeze(-1)).exp_()
    total = reduce(exponentials, "... q k -> ... q", "sum")
    return Partial(largest, total, einsum(exponentials, value, "... q k, ... k d -> ... q d"))


def online_softmax_merge(first: Partial, second: Partial) -> Partial:
    """Attention over the keys of both pieces.

    ``m = max(m1, m2)``, ``l = l1 exp(m1 - m) + l2 exp(m2 - m)``, and the weighted values likewise.
    The order of the pieces does not matter.

    Source:
        Milakov and Gimelshein 2018, arXiv:1805.02867, algorithm 3; Dao et al. 2022,
        arXiv:2205.14135, section 3.1.

    >>> one = partial_attention(torch.tensor([[0.0]]), torch.tensor([[4.0]]))
    >>> three = partial_attention(torch.tensor([[3.0]]).log(), torch.tensor([[8.0]]))
    >>> round(attention_of(online_softmax_merge(one, three)).item(), 4)  # weights 1/4 and 3/4
    7.0
    """
    (largest_1, total_1, weighted_1), (largest_2, total_2, weighted_2) = first, second
    largest = torch.maximum(largest_1, largest_2)
    finite = _finite(largest)
    keep, add = torch.exp(largest_1 - finite), torch.exp(largest_2 - finite)
    return Partial(
        largest,
        total_1 * keep + total_2 * add,
        weighted_1 * keep.unsqueeze(-1) + weighted_2 * add.unsqueeze(-1),
    )


def attention_of(partial: Partial) -> Tensor:
    """The attention output, ``weighted / total``; zeros where every key was hidden.

    Shapes:
        returns ``... q d``.
    """
    nothing = partial.total == 0
    return partial.weighted / partial.total.masked_fill(nothing, 1.0).unsqueeze(-1)


def log_normaliser(partial: Partial) -> Tensor:
    """``log sum exp(score)``: what turns a score into its weight, ``exp(score - this)``.

    ``+inf`` where every key was hidden, so that every weight is zero.

    Shapes:
        returns ``... q``.
    """
    hidden = partial.total == 0
    return (partial.largest + partial.total.log()).masked_fill(hidden, torch.inf)


def _finite(largest: Tensor) -> Tensor:
    """The largest score, or 0 where there is none: ``-inf - -inf`` is no number."""
    return largest.masked_fill(largest == -torch.inf, 0.0)
