"""Attention masks: who may look at whom.

One convention in the whole course: a mask is bool, **True = may attend**, and its axes broadcast
to ``b h q k``. Masks combine with ``&``. Leaves out the masks that are a method of their own
(banded, strided, attention sinks): their modules build them on the same terms.
"""

import torch
from einops import rearrange
from torch import Tensor

from llm_course.shapes import ShapeError, check_shape


def causal_mask(
    n_queries: int, n_keys: int | None = None, device: torch.device | str | None = None
) -> Tensor:
    """The look-ahead mask: a position may attend to itself and to what came before.

    The queries are the last ``n_queries`` of the ``n_keys`` positions, so that the last query
    sees every key; that is what decoding with cached keys needs. Query ``i`` may attend to key
    ``j`` if ``j <= i + n_keys - n_queries``.

    Args:
        n_queries: number of queries.
        n_keys: number of keys; as many as queries if not given.
        device: where the mask is made.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: a size is negative, or there are fewer keys than queries.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3.

    >>> causal_mask(3).int().tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    >>> causal_mask(2, 4).int().tolist()
    [[1, 1, 1, 0], [1, 1, 1, 1]]
    """
    n_keys = n_queries if n_keys is None else n_keys
    if n_queries < 0:
        raise ValueError(f"n_queries: expected 0 or more, got {n_queries}.")
    if n_keys < n_queries:
        raise ValueError(f"n_keys: expected at least n_queries={n_queries}, got {n_keys}.")
    everything = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
    return everything.tril(diagonal=n_keys - n_queries)


def padding_mask(tokens: Tensor, pad_id: int) -> Tensor:
    """The padding mask: every query may attend to every key that is not padding.

    Args:
        tokens: token ids, padded on either side.
        pad_id: the id of the padding token.

    Shapes:
        tokens ``b k``; returns ``b 1 1 k``, bool, True = may attend.

    Raises:
        ShapeError: the tokens are not ``b k``.

    >>> padding_mask(torch.tensor([[5, 8, 0], [7, 0, 0]]), pad_id=0).int().tolist()
    [[[[1, 1, 0]]], [[[1, 0, 0]]]]
    """
    check_shape(tokens, "b k", "tokens")
    return rearrange(tokens != pad_id, "b k -> b 1 1 k")


def check_mask(mask: Tensor, b: int, h: int, q: int, k: int) -> None:
    """Refuse a mask that would be misread: another dtype than bool, or axes that do not fit.

    A float mask is refused because libraries disagree about it: 1 may mean "attend", "hidden" or
    "add one to the score". Three axes are refused because ``b q k`` would be taken for ``h q k``.

    Raises:
        TypeError: the mask is not a bool tensor.
        ShapeError: it has neither two nor four axes, or does not broadcast to ``b h q k``.

    >>> check_mask(causal_mask(3), b=2, h=4, q=3, k=3)
    >>> check_mask(causal_mask(3).float(), b=2, h=4, q=3, k=3)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    TypeError: mask: expected bool (True = may attend), got torch.float32. Fix: ...
    """
    if mask.dtype != torch.bool:
        raise TypeError(
            f"mask: expected bool (True = may attend), got {mask.dtype}. "
            "Fix: for 1 = may attend use mask.bool(), for 1 = hidden use ~mask.bool(), "
            "for scores to add (0 and -inf) use mask == 0."
        )
    full = (b, h, q, k)
    shape = tuple(mask.shape)
    fits = len(shape) in (2, 4) and all(
        size in (1, whole) for size, whole in zip(shape[::-1], full[::-1], strict=False)
    )
    if not fits:
        raise ShapeError(
            f"mask: expected axes q k or b h q k that broadcast to {full}, got shape {shape}. "
            'Fix: for one mask a sequence, rearrange(mask, "b q k -> b 1 q k").'
        )
