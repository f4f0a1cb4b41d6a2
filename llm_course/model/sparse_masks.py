"""Which keys each query sees under sparse attention, as full masks: to draw, and to check against.

The functions of `sparse_attention` compute the same without ever holding such a mask.
"""

import torch
from einops import rearrange
from torch import Tensor

from llm_course.model.masks import sliding_window_mask


def band_mask(length: int, window: int, *, causal: bool = True) -> Tensor:
    """A band around the diagonal: keys less than ``window`` positions away.

    With ``causal``, the query itself and the ``window - 1`` keys before it; without, as many after.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: ``window`` is not positive.

    Source:
        Beltagy et al. 2020, arXiv:2004.05150, section 3.1 (sliding window).

    >>> band_mask(4, window=2).int().tolist()
    [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    """
    check_positive(window=window)
    if causal:
        return sliding_window_mask(length, window)
    return _behind(length).abs() < window


def stride_mask(length: int, stride: int) -> Tensor:
    """Every ``stride``-th key back from the query, the query's own position included.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: ``stride`` is not positive.

    Source:
        Child et al. 2019, arXiv:1904.10509, section 4.3, the second half of *strided* attention.

    >>> stride_mask(4, stride=2).int().tolist()
    [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]]
    """
    check_positive(stride=stride)
    behind = _behind(length)
    return (behind >= 0) & (behind % stride == 0)


def sparse_mask(length: int, window: int, stride: int) -> Tensor:
    """A band and strides together: the last ``window`` keys, and every ``stride``-th before.

    Key ``j`` is visible to query ``i`` if ``j <= i``, and ``i - j < window`` or ``stride`` divides
    ``i - j``. Factorised attention gives the band to some heads and the strides to others.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: ``window`` or ``stride`` is not positive.

    Source:
        Child et al. 2019, arXiv:1904.10509, section 4.3.

    >>> sparse_mask(5, window=2, stride=3).int()[4].tolist()  # itself, the last, and three back
    [0, 1, 0, 1, 1]
    """
    return band_mask(length, window) | stride_mask(length, stride)


def block_mask(length: int, block: int) -> Tensor:
    """The query's own block of ``block`` positions, as far as the query.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: ``block`` is not positive.

    Source:
        Child et al. 2019, arXiv:1904.10509, section 4.3, the first half of *fixed* attention.

    >>> block_mask(4, block=2).int().tolist()
    [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    """
    check_positive(block=block)
    of = torch.arange(length) // block
    return (rearrange(of, "q -> q 1") == rearrange(of, "k -> 1 k")) & (_behind(length) >= 0)


def summary_mask(length: int, block: int, summaries: int = 1) -> Tensor:
    """The last ``summaries`` positions of every block, as far as the query.

    What a block knows is gathered there, at places that do not move with the query: the first
    half of *fixed* attention brings it to them, this half spreads it.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: a size is not positive, or there are more summaries than positions in a block.

    Source:
        Child et al. 2019, arXiv:1904.10509, section 4.3, the second half of *fixed* attention
        (``summaries`` is c there).

    >>> summary_mask(5, block=2).int().tolist()[3:]
    [[0, 1, 0, 1, 0], [0, 1, 0, 1, 0]]
    """
    check_positive(block=block, summaries=summaries)
    if summaries > block:
        raise ValueError(
            f"summaries: expected at most block={block}, got {summaries}. Fix: use a longer block."
        )
    keeps = torch.arange(length) % block >= block - summaries
    return rearrange(keeps, "k -> 1 k") & (_behind(length) >= 0)


def fixed_mask(length: int, block: int, summaries: int = 1) -> Tensor:
    """The *fixed* pattern: the query's own block, and the summaries of all blocks before.

    Strides suit what repeats at one distance, such as the rows of an image; in text nothing does,
    and places that everybody reads suit it better. A query sees at most ``block + length / block``
    keys for one summary a block.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: those of ``summary_mask``.

    Source:
        Child et al. 2019, arXiv:1904.10509, section 4.3.

    >>> fixed_mask(5, block=2).int().tolist()[4]  # itself, and the ends of two blocks
    [0, 1, 0, 1, 1]
    """
    return block_mask(length, block) | summary_mask(length, block, summaries)


def check_positive(**sizes: int) -> None:
    """Refuse a size below 1, by its name.

    >>> check_positive(window=0)
    Traceback (most recent call last):
    ...
    ValueError: window: expected a positive number of positions, got 0.
    """
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}: expected a positive number of positions, got {size}.")


def _behind(length: int) -> Tensor:
    """How many positions each key is behind each query."""
    here = torch.arange(length)
    return rearrange(here, "q -> q 1") - rearrange(here, "k -> 1 k")
