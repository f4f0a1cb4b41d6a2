"""Sparse attention: each query sees some of the keys, and only those are computed.

- ``banded_attention``: the keys of a window around the query (locally banded, sliding window);
- ``strided_attention``: every so-many-th key before it;
- ``factorised_attention``: half of the heads the one, half the other, so that two layers together
  reach every earlier position.

Time and memory grow with the length times the window (or the length over the stride), not with the
square of the length. Each rearranges the sequence so that an ordinary ``attend`` finds short
sequences, and masks what lies over the edge.
"""

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor

from llm_course.model.attention import Attend, fused_attention
from llm_course.model.masks import causal_mask, check_mask
from llm_course.model.sparse_masks import check_positive
from llm_course.shapes import ShapeError, check_shape


def banded_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    window: int,
    causal: bool = True,
    attend: Attend = fused_attention,
) -> Tensor:
    """Attention within ``window`` positions of the query.

    The queries are cut into blocks as long as the window; a block needs its own keys and the
    ``window - 1`` before (and after): about twice the window in scores for each query.

    Args:
        query: one vector for each position that asks.
        key: one vector for each position that may answer, as many.
        value: what each of them answers.
        mask: bool, True = may attend; hides more keys.
        window: how far a query sees, itself included (Mistral's ``sliding_window``).
        causal: whether it sees no later key; else it sees as far ahead as back.
        attend: what computes attention within a block.

    Shapes:
        query ``b h t d``; key, value ``b g t d`` where ``g`` divides ``h``; mask broadcasts to
        ``b h t t``; returns ``b h t d``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool.
        ValueError: ``window`` is not positive.

    Source:
        Child et al. 2019, arXiv:1904.10509, section 4.3; Beltagy et al. 2020, arXiv:2004.05150,
        section 3.1; blocks of queries with overlapping keys: appendix A there.

    >>> value = torch.tensor([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1)
    >>> alike = torch.zeros(1, 1, 3, 1)  # every visible key weighs the same
    >>> banded_attention(alike, alike, value, window=2).flatten().tolist()
    [1.0, 1.5, 3.0]
    """
    check_positive(window=window)
    length = _check(query, key, value, mask)
    if length == 0:
        return attend(query, key, value, mask)
    block = min(window, length)
    ahead = 0 if causal else block - 1
    blocks = -(-length // block)
    rows, columns = _block_positions(blocks, block, ahead, query.device)
    behind = rows - columns
    visible = (behind < window) & (behind >= -ahead) & (columns >= 0) & (columns < length)
    visible = rearrange(visible, "n c k -> 1 1 n c k")
    if mask is not None:
        inside = rows.clamp(max=length - 1), columns.clamp(0, length - 1)
        visible = visible & _full(mask)[:, :, *inside]
    visible = visible.expand(query.shape[0], *visible.shape[1:])
    spare = blocks * block - length
    query = F.pad(query, (0, 0, 0, spare))
    key, value = (
        F.pad(x, (0, 0, block - 1, ahead + spare)).unfold(2, block + block - 1 + ahead, block)
        for x in (key, value)
    )
    output = attend(
        rearrange(query, "b h (n c) d -> (b n) h c d", n=blocks),
        rearrange(key, "b g n d k -> (b n) g k d"),
        rearrange(value, "b g n d k -> (b n) g k d"),
        rearrange(visible, "b h n c k -> (b n) h c k"),
    )
    return rearrange(output, "(b n) h c d -> b h (n c) d", n=blocks)[:, :, :length]


def _block_positions(
    blocks: int, block: int, ahead: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Where the queries of each block stand, and the keys that one of them may see.

    Shapes:
        returns ``n c 1`` and ``n 1 k``; keys before the first position are negative.
    """
    rows = rearrange(torch.arange(blocks * block, device=device), "(n c) -> n c 1", n=blocks)
    reach = torch.arange(-(block - 1), block + ahead, device=device)
    return rows, rows[:, :1] + reach


def strided_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    stride: int,
    attend: Attend = fused_attention,
) -> Tensor:
    """Causal attention to every ``stride``-th key before the query, and to itself.

    Positions that leave the same remainder see only each other: they become a sequence of their
    own, ``stride`` times shorter.

    Args:
        query: one vector for each position that asks.
        key: one vector for each position that may answer, as many.
        value: what each of them answers.
        mask: bool, True = may attend; hides more keys.
        stride: the distance between the keys that are seen.
        attend: what computes attention within a remainder.

    Shapes, Raises:
        those of ``banded_attention``.

    Source:
        Child et al. 2019, arXiv:1904.10509, section 4.3, *strided*.

    >>> value = torch.tensor([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1)
    >>> alike = torch.zeros(1, 1, 3, 1)
    >>> strided_attention(alike, alike, value, stride=2).flatten().tolist()
    [1.0, 2.0, 2.5]
    """
    check_positive(stride=stride)
    length = _check(query, key, value, mask)
    steps = -(-length // stride)
    spare = steps * stride - length
    query, key, value = (
        rearrange(F.pad(x, (0, 0, 0, spare)), "b h (n s) d -> (b s) h n d", s=stride)
        for x in (query, key, value)
    )
    visible = causal_mask(steps, device=query.device)
    if mask is not None:
        at = torch.arange(steps * stride, device=query.device).clamp(max=length - 1)
        rows = rearrange(at, "(n s) -> s n 1", s=stride)
        columns = rearrange(at, "(n s) -> s 1 n", s=stride)
        whole = _full(mask)[:, :, rows, columns] & visible
        whole = whole.expand(query.shape[0] // stride, *whole.shape[1:])
        visible = rearrange(whole, "b h s q k -> (b s) h q k")
    output = attend(query, key, value, visible)
    return rearrange(output, "(b s) h n d -> b h (n s) d", s=stride)[:, :, :length]


def factorised_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    stride: int,
    attend: Attend = fused_attention,
) -> Tensor:
    """Half of the heads see the last ``stride`` keys, half every ``stride``-th one.

    With a stride near the root of the length a query scores ``2 sqrt(t)`` keys, and any earlier
    position is two steps away: one within the band, one along the stride.

    Shapes, Raises:
        those of ``banded_attention``; the head counts are even.

    Source:
        Child et al. 2019, arXiv:1904.10509, section 4.3 and eq. 6 (one pattern for each head).
    """
    for name, x in (("query", query), ("key", key)):
        if x.shape[1] % 2:
            raise ShapeError(f"{name}: expected an even number of heads, got {x.shape[1]}.")
    halves = [x.chunk(2, dim=1) for x in (query, key, value)]
    masks = [mask, mask]
    if mask is not None and mask.dim() == 4 and mask.shape[1] > 1:
        masks = list(mask.chunk(2, dim=1))
    near, far = ([half[i] for half in halves] for i in (0, 1))
    banded = banded_attention(*near, masks[0], window=stride, attend=attend)
    return torch.cat([banded, strided_attention(*far, masks[1], stride=stride, attend=attend)], 1)


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> int:
    """The length of the sequence, once everything is known to fit."""
    sizes = check_shape(query, "b h t d", "query")
    same = {axis: sizes[axis] for axis in "btd"}
    groups = check_shape(key, "b g t d", "key", **same)["g"]
    check_shape(value, "b g t d", "value", g=groups, **same)
    if groups == 0 or sizes["h"] % groups:
        raise ShapeError(
            f"key: expected heads that divide n_heads={sizes['h']}, got {groups} "
            f"in shape {tuple(key.shape)} (b g t d)."
        )
    if mask is not None:
        check_mask(mask, b=sizes["b"], h=sizes["h"], q=sizes["t"], k=sizes["t"])
        if mask.shape[-1] != sizes["t"]:
            raise ShapeError(f"mask: expected {sizes['t']} keys, got {mask.shape[-1]}.")
    return sizes["t"]


def _full(mask: Tensor) -> Tensor:
    """The mask with all four axes and every query; a broadcast axis takes no memory."""
    if mask.dim() == 2:
        mask = rearrange(mask, "q k -> 1 1 q k")
    if mask.shape[2] == 1:
        mask = repeat(mask, "b h 1 k -> b h q k", q=mask.shape[3])
    return mask
