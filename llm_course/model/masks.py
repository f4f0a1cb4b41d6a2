"""Attention masks: who may look at whom.

One convention in the whole course: a mask is bool, **True = may attend**, and its axes broadcast
to ``b h q k``. Masks combine with ``&``. Leaves out the masks that are a method of their own
(strided, attention sinks): their modules build them on the same terms.
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


def prefix_mask(n_tokens: int, prefix_lengths: Tensor) -> Tensor:
    """The mask of a prefix decoder: an encoder over the prefix, a decoder after it.

    Query ``i`` may attend to key ``j`` if ``j < prefix_length`` or ``j <= i``.

    Args:
        n_tokens: number of positions, prefix and continuation together.
        prefix_lengths: how many tokens the prefix of each sequence has.

    Shapes:
        prefix_lengths ``b``; returns ``b 1 q k``, bool, True = may attend.

    Raises:
        TypeError: the lengths are not integers.
        ShapeError: they are not ``b``.
        ValueError: one is negative or longer than the text.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, section 3.2.1 (figure 3, right).

    >>> prefix_mask(3, torch.tensor([2])).int().tolist()
    [[[[1, 1, 0], [1, 1, 0], [1, 1, 1]]]]
    """
    check_prefix_lengths(n_tokens, prefix_lengths)
    key = torch.arange(n_tokens, device=prefix_lengths.device)
    in_prefix = rearrange(key < prefix_lengths[:, None], "b k -> b 1 1 k")
    return in_prefix | causal_mask(n_tokens, device=prefix_lengths.device)


def check_prefix_lengths(n_tokens: int, prefix_lengths: Tensor) -> None:
    """Refuse lengths that are no lengths of a prefix of ``n_tokens``: see ``prefix_mask``."""
    if prefix_lengths.is_floating_point() or prefix_lengths.dtype == torch.bool:
        raise TypeError(f"prefix_lengths: expected integers, got {prefix_lengths.dtype}.")
    check_shape(prefix_lengths, "b", "prefix_lengths")
    if prefix_lengths.is_meta or prefix_lengths.numel() == 0:
        return
    low, high = int(prefix_lengths.min()), int(prefix_lengths.max())
    if low < 0 or high > n_tokens:
        raise ValueError(
            f"prefix_lengths: expected values from 0 to n_tokens={n_tokens}, got {low} to {high}."
        )


def sliding_window_mask(
    n_queries: int,
    window: int,
    n_keys: int | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """The causal mask of Mistral: a position sees the last ``window`` ones, itself counted.

    Query ``i`` at position ``p = i + n_keys - n_queries`` may attend to key ``j`` if
    ``p - window < j <= p``.

    Args:
        n_queries: number of queries, the last of the positions.
        window: how many positions each may see.
        n_keys: number of keys; as many as queries if not given.
        device: where the mask is made.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: the window is empty, or a size does not fit (as in ``causal_mask``).

    Source:
        Jiang et al. 2023, arXiv:2310.06825, section 2; Beltagy et al. 2020, arXiv:2004.05150.

    >>> sliding_window_mask(3, window=2).int().tolist()
    [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    """
    if window < 1:
        raise ValueError(f"window: expected 1 or more, got {window}.")
    seen = causal_mask(n_queries, n_keys, device)
    return seen & ~seen.tril(diagonal=seen.shape[1] - n_queries - window)


def position_mask(
    query_positions: Tensor, key_positions: Tensor, window: int | None = None
) -> Tensor:
    """The causal mask by positions, for rows of different lengths: whom a cached token may see.

    A query at position ``p`` may attend to a key at ``j`` if ``j <= p`` and, with a window,
    ``p - window < j``.

    Shapes:
        query_positions ``q`` or ``b q``; key_positions ``k`` or ``b k``; returns ``q k`` or
        ``b 1 q k``, bool, True = may attend.

    >>> position_mask(torch.tensor([[1], [2]]), torch.arange(4)).int().tolist()
    [[[[1, 1, 0, 0]]], [[[1, 1, 1, 0]]]]
    """
    query, key = query_positions.unsqueeze(-1), key_positions.unsqueeze(-2)
    seen = key <= query
    if window is not None:
        seen = seen & (key > query - window)
    return rearrange(seen, "b q k -> b 1 q k") if seen.dim() == 3 else seen


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
