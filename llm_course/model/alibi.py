"""ALiBi: no position is added to the tokens; a score falls with the distance to its key.

Each head subtracts ``slope * (query position - key position)`` from its scores before the softmax.
The slopes form a geometric series, so that some heads look near and others far. Nothing is learned.
"""

import torch
from einops import rearrange
from torch import Tensor


def alibi_slopes(n_heads: int) -> Tensor:
    """How fast each head forgets: ``slope_i = 2 ** (-8 i / n)`` for ``i = 1 .. n``.

    Where the number of heads is no power of two, the paper's code takes the slopes of the next
    lower power ``n``, and then every second slope of ``2 n`` for the heads that are left.

    Shapes:
        returns ``h``, fp32.

    Raises:
        ValueError: ``n_heads`` is not positive.

    Source:
        Press et al. 2022, arXiv:2108.12409, section 3; for other numbers of heads, ``get_slopes``
        in the paper's code, github.com/ofirpress/attention_with_linear_biases.

    >>> alibi_slopes(4).tolist()
    [0.25, 0.0625, 0.015625, 0.00390625]
    >>> alibi_slopes(3).tolist()
    [0.0625, 0.00390625, 0.25]
    """
    if n_heads < 1:
        raise ValueError(f"n_heads: expected a positive integer, got {n_heads}.")
    power = 2 ** (n_heads.bit_length() - 1)
    slopes = _series(power)
    return torch.cat([slopes, _series(2 * power)[::2][: n_heads - power]])


def alibi_bias(query_positions: Tensor, key_positions: Tensor, slopes: Tensor) -> Tensor:
    """What is added to the scores: ``-slope * |query position - key position|``.

    Under a causal mask the query never comes before its key and the bars change nothing; without
    one, both directions are penalised alike.

    Shapes:
        query_positions ``q``; key_positions ``k``; slopes ``h``; returns ``h q k``.

    Source:
        Press et al. 2022, arXiv:2108.12409, section 3.

    >>> alibi_bias(torch.tensor([2]), torch.arange(3), torch.tensor([0.5])).tolist()
    [[[-1.0, -0.5, -0.0]]]
    """
    away = rearrange(query_positions, "q -> q 1") - rearrange(key_positions, "k -> 1 k")
    return -rearrange(slopes, "h -> h 1 1") * away.abs()


def _series(n: int) -> Tensor:
    """The slopes of ``n`` heads, a power of two."""
    return 2.0 ** (-8.0 * torch.arange(1, n + 1) / n)
