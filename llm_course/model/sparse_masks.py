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
