"""A bias that is added to the attention scores before the softmax: how distance enters them.

ALiBi and T5 use no position vectors. They add to the score of query ``i`` and key ``j`` a number
that depends on ``j - i``. A bias is a float tensor ``b h q k``; what may be seen at all stays with
the bool mask.
"""

from einops import rearrange
from torch import Tensor

from llm_course.shapes import ShapeError, check_shape


def distances(query_positions: Tensor, key_positions: Tensor) -> Tensor:
    """How far each key lies ahead of each query: ``key_position - query_position``.

    Negative is the past, 0 the token itself, positive the future.

    Shapes:
        query_positions ``q`` or ``b q``; key_positions ``k`` or ``b k``; returns ``b q k``, with
        ``b = 1`` if all sequences share their positions.

    Raises:
        ShapeError: the sizes do not fit.

    >>> import torch
    >>> distances(torch.tensor([5]), torch.tensor([3, 4, 5, 6])).tolist()
    [[[-2, -1, 0, 1]]]
    """
    query, key = (x[None] if x.dim() == 1 else x for x in (query_positions, key_positions))
    n_sequences = check_shape(query, "b q", "query_positions")["b"]
    check_shape(key, "b k", "key_positions", **({"b": n_sequences} if n_sequences > 1 else {}))
    return rearrange(key, "b k -> b 1 k") - rearrange(query, "b q -> b q 1")


def check_bias(bias: Tensor, b: int, h: int, q: int, k: int) -> None:
    """Refuse a bias that would be misread: a mask, or axes that do not fit.

    A bool or integer tensor is refused because added to the scores it hides nothing.

    Raises:
        TypeError: the bias is not a float tensor.
        ShapeError: it has not four axes, or does not broadcast to ``b h q k``.

    >>> import torch
    >>> check_bias(torch.zeros(3, 3) > 0, b=1, h=2, q=3, k=3)
    Traceback (most recent call last):
    ...
    TypeError: bias: expected floats to add to the scores, got torch.bool. Fix: pass it as mask.
    """
    if not bias.is_floating_point():
        raise TypeError(
            f"bias: expected floats to add to the scores, got {bias.dtype}. Fix: pass it as mask."
        )
    full, shape = (b, h, q, k), tuple(bias.shape)
    if len(shape) != 4 or any(n not in (1, whole) for n, whole in zip(shape, full, strict=True)):
        raise ShapeError(
            f"bias: expected axes b h q k that broadcast to {full}, got shape {shape}. "
            'Fix: for one bias a head, rearrange(bias, "h q k -> 1 h q k").'
        )
