"""ALiBi: a key far away costs a fixed amount of score for each token of distance.

Each head has its own price, its slope. Nothing is learned, and no distance is too long for it.
"""

import torch
from einops import einsum
from torch import Tensor

from llm_course.shapes import check_shape


def alibi_slopes(n_heads: int, device: torch.device | str | None = None) -> Tensor:
    """The price of one token of distance, for each head.

    For a power of two: ``2 ** (-8 i / n_heads)`` for ``i = 1 .. n_heads``, from steep to almost
    flat. For other numbers: the slopes of the next lower power of two, then every second slope of
    the next higher one, from its first on.

    Shapes:
        returns ``h``, fp32.

    Raises:
        ValueError: there is no head.

    Source:
        Press et al. 2021, arXiv:2108.12409, section 3; other numbers: the authors' code.

    >>> alibi_slopes(4).tolist()
    [0.25, 0.0625, 0.015625, 0.00390625]
    >>> alibi_slopes(3).tolist()  # those of two heads, and the first of four
    [0.0625, 0.00390625, 0.25]
    """
    if n_heads < 1:
        raise ValueError(f"n_heads: expected 1 or more, got {n_heads}.")
    power = 2 ** (n_heads.bit_length() - 1)
    lower = [2 ** (-8 * i / power) for i in range(1, power + 1)]
    higher = [2 ** (-8 * i / (2 * power)) for i in range(1, 2 * (n_heads - power), 2)]
    return torch.tensor(lower + higher, device=device)


def alibi_bias(distance: Tensor, slopes: Tensor) -> Tensor:
    """The bias ``-slope * |key_position - query_position|``.

    Args:
        distance: how far each key lies ahead of each query (``score_bias.distances``).
        slopes: the price of one token of distance (``alibi_slopes``).

    Shapes:
        distance ``b q k``; slopes ``h``; returns ``b h q k`` in the dtype of the slopes.

    Raises:
        ShapeError: the sizes do not fit.

    Source:
        Press et al. 2021, arXiv:2108.12409, section 3.

    >>> alibi_bias(torch.tensor([[[-2, -1, 0]]]), torch.tensor([0.5])).tolist()
    [[[[-1.0, -0.5, -0.0]]]]
    """
    check_shape(distance, "b q k", "distance")
    check_shape(slopes, "h", "slopes")
    return -einsum(slopes, distance.abs().to(slopes.dtype), "h, b q k -> b h q k")
