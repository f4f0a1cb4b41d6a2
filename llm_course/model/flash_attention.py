"""FlashAttention: exact attention that never holds the matrix of scores.

Queries and keys are taken in tiles. A tile of scores is made, used and forgotten; running sums
(`online_softmax`) join the tiles. The backward pass keeps one number for each query from the
forward pass and makes every tile again. Memory grows with the sequence, not with its square; the
arithmetic is the same; most of the gain in time comes on a GPU, where a tile stays in fast memory.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from llm_course.derivatives import first_derivative_only
from llm_course.model.masks import check_mask
from llm_course.model.online_softmax import Partial
from llm_course.shapes import ShapeError, check_shape

TILE = 192  # positions of queries, and of keys, in one tile


def flash_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    tile: int = TILE,
) -> Tensor:
    """``scaled_dot_product_attention`` in tiles: the same output and gradients.

    Args:
        query: one vector for each position that asks.
        key: one vector for each position that may answer.
        value: what each of them answers.
        mask: bool, True = may attend. Give padding as ``b 1 1 k``: a full ``q k`` mask takes the
            memory that the tiles save.
        causal: also hide every key that comes after its query; tiles of hidden keys are skipped.
        tile: positions in a tile.

    Shapes:
        query ``b h q d``; key, value ``b g k d`` where ``g`` divides ``h``; mask broadcasts to
        ``b h q k``; returns ``b h q d``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool.
        ValueError: ``tile`` is not positive.

    Source:
        Dao et al. 2022, arXiv:2205.14135, algorithms 1 and 4; Dao 2023, arXiv:2307.08691,
        algorithms 1 and 2 (queries in the outer loop).

    >>> query, value = torch.tensor([[[[1.0]]]]), torch.tensor([[[[4.0], [8.0]]]])
    >>> key = torch.tensor([[[[1.0], [3.0]]]]).log()  # weights 1/4 and 3/4
    >>> round(flash_attention(query, key, value, tile=1).item(), 4)
    7.0
    """
    check_flash_inputs(query, key, value, mask, causal)
    if tile < 1:
        raise ValueError(f"tile: expected a positive number of positions, got {tile}.")
    if mask is not None and mask.dim() == 2:
        mask = rearrange(mask, "q k -> 1 1 q k")
    with torch.autocast(query.device.type, enabled=False):  # sums in place need one dtype
        return _Flash.apply(query, key, value, mask, causal, tile)


class _Flash(torch.autograd.Function):
    """The two passes; what is kept between them grows with the sequence only.

    Here ``n`` is the key-value heads of all sequences, and ``r`` the query heads that share one:
    laid below each other they ask the same keys, so that a tile is one product. Scores are in
    powers of two, ``exp(x) = exp2(x log2(e))``, which take half the time. All sums are in place.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        causal: bool,
        tile: int,
    ) -> Tensor:
        grouped, keys, values = _grouped(query, key), _merged(key), _merged(value)
        output = torch.empty_like(grouped)
        normaliser = grouped.new_empty(grouped.shape[:-1])
        room = _room(grouped, keys, tile)
        for rows in _tiles(query.shape[2], tile):
            q = _rows(grouped, rows) * _scale(query)
            running = _nothing(q)
            for columns in _tiles(_end(rows, key.shape[2], causal), tile):
                scores = _product(q, keys[:, columns], room)
                _hide(scores, mask, causal, rows, columns, query.shape)
                running = _absorb(running, scores, values[:, columns])
            ended, summed = _ended(running)
            output[:, :, rows] = rearrange(ended, "n (r q) d -> n r q d", r=output.shape[1])
            normaliser[:, :, rows] = rearrange(summed, "n (r q) 1 -> n r q", r=output.shape[1])
        ctx.save_for_backward(query, key, value, mask, output, normaliser)
        ctx.causal, ctx.tile = causal, tile
        return output.view(query.shape)  # n r is b g r

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, output, normaliser = ctx.saved_tensors
        grouped, keys, values = _grouped(query, key), _merged(key), _merged(value)
        gradient = _grouped(gradient, key)
        d_query, d_key, d_value = torch.empty_like(output), *map(torch.zeros_like, (keys, values))
        room, more_room = (_room(grouped, keys, ctx.tile) for _ in range(2))
        for rows in _tiles(query.shape[2], ctx.tile):
            q, d_out = _rows(grouped, rows) * _scale(query), _rows(gradient, rows)
            # D = rowsum(dO * O), which equals rowsum(dP * P): no row of P is needed for it.
            through = (d_out * _rows(output, rows)).sum(dim=-1, keepdim=True)
            summed = rearrange(normaliser[:, :, rows], "n r q -> n (r q) 1")
            d_q = torch.zeros_like(q)
            for columns in _tiles(_end(rows, key.shape[2], ctx.causal), ctx.tile):
                scores = _product(q, keys[:, columns], room)
                _hide(scores, mask, ctx.causal, rows, columns, query.shape)
                weights = scores.sub_(summed).exp2_()
                d_value[:, columns].baddbmm_(weights.mT, d_out)  # dV = Pᵀ dO
                d_weights = _product(d_out, values[:, columns], more_room)
                d_scores = d_weights.sub_(through).mul_(weights)  # dS = P * (dP - D)
                d_q.baddbmm_(d_scores, keys[:, columns])  # dQ = dS K
                d_key[:, columns].baddbmm_(d_scores.mT, q)  # dK = dSᵀ Q
            d_query[:, :, rows] = rearrange(d_q, "n (r q) d -> n r q d", r=output.shape[1])
        ln2 = math.log(2)  # the factor log2(e) of the scaled queries, taken out again
        d_query, d_key = d_query.mul_(_scale(query) * ln2), d_key.mul_(ln2)
        slopes = d_query.view(query.shape), d_key.view(key.shape), d_value.view(value.shape)
        return *slopes, None, None, None


def _scale(query: Tensor) -> float:
    """What the products are multiplied by, to be exponents of two."""
    return math.log2(math.e) / math.sqrt(query.shape[-1])


def _grouped(x: Tensor, key: Tensor) -> Tensor:
    """Query heads beside the key-value head that they share."""
    return rearrange(x, "b (g r) q d -> (b g) r q d", g=key.shape[1])


def _merged(x: Tensor) -> Tensor:
    """Key-value heads of all sequences."""
    return rearrange(x, "b g k d -> (b g) k d")


def _rows(x: Tensor, rows: slice) -> Tensor:
    """A tile of queries of all heads that share keys."""
    return rearrange(x[:, :, rows], "n r q d -> n (r q) d")


def _nothing(query: Tensor) -> Partial:
    """Attention over no keys yet, with a last axis of 1 for each number of a query."""
    none = query.new_full((*query.shape[:-1], 1), -torch.inf)
    return Partial(none, torch.zeros_like(none), torch.zeros_like(query))


def _absorb(running: Partial, scores: Tensor, value: Tensor) -> Partial:
    """``online_softmax_merge`` with a tile of scores, in place, in powers of two."""
    largest, total, weighted = running
    larger = torch.maximum(largest, scores.amax(dim=-1, keepdim=True))
    finite = larger.masked_fill(larger == -torch.inf, 0.0)
    exponentials = scores.sub_(finite).exp2_()
    keep = (largest - finite).exp2_()
    total.mul_(keep).add_(exponentials.sum(dim=-1, keepdim=True))
    weighted.mul_(keep).baddbmm_(exponentials, value)
    return Partial(larger, total, weighted)


def _ended(running: Partial) -> tuple[Tensor, Tensor]:
    """The output and ``log2 sum exp2(score)``; zeros and infinity if every key was hidden."""
    largest, total, weighted = running
    hidden = total == 0
    summed = (largest + total.log2()).masked_fill(hidden, torch.inf)
    return weighted.div_(total.masked_fill(hidden, 1.0)), summed


def _room(grouped: Tensor, keys: Tensor, tile: int) -> Tensor:
    """Memory for one tile of all heads, used again for every tile."""
    n, r, length, _ = grouped.shape
    return grouped.new_empty(n * r * min(tile, length) * min(tile, keys.shape[1]))


def _product(left: Tensor, right: Tensor, room: Tensor) -> Tensor:
    """``left rightᵀ``, written into ``room``."""
    n, q, k = *left.shape[:2], right.shape[1]
    return torch.bmm(left, right.mT, out=room[: n * q * k].view(n, q, k))


def _hide(
    scores: Tensor,
    mask: Tensor | None,
    causal: bool,
    rows: slice,
    columns: slice,
    shape: torch.Size,
) -> None:
    """Put hidden keys of a tile at ``-inf``.

    Shapes:
        scores ``n rq columns``; ``shape`` is ``b h q d``.
    """
    heads = scores.view(*shape[:2], rows.stop - rows.start, -1)  # n (r q) k is b (g r) q k
    if mask is not None:
        tile = mask[..., rows if mask.shape[2] > 1 else slice(None), :]
        tile = tile[..., columns if mask.shape[3] > 1 else slice(None)]
        heads.masked_fill_(~tile, -torch.inf)
    if causal and columns.stop - 1 > rows.start:
        here = torch.arange(rows.start, rows.stop, device=scores.device)
        there = torch.arange(columns.start, columns.stop, device=scores.device)
        later = rearrange(there, "k -> 1 k") > rearrange(here, "q -> q 1")
        heads.masked_fill_(later, -torch.inf)


def _tiles(length: int, tile: int) -> Iterator[slice]:
    """The slices that cover ``length`` positions."""
    for start in range(0, length, tile):
        yield slice(start, min(start + tile, length))


def _end(rows: slice, n_keys: int, causal: bool) -> int:
    """Where the keys end that a tile of queries may see."""
    return min(rows.stop, n_keys) if causal else n_keys


def check_flash_inputs(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool
) -> None:
    """Refuse what does not fit: see ``flash_attention``."""
    sizes = check_shape(query, "b h q d", "query")
    sizes |= check_shape(key, "b g k d", "key", b=sizes["b"], d=sizes["d"])
    check_shape(value, "b g k d", "value", b=sizes["b"], g=sizes["g"], k=sizes["k"], d=sizes["d"])
    if sizes["g"] == 0 or sizes["h"] % sizes["g"]:
        raise ShapeError(
            f"key: expected heads that divide n_heads={sizes['h']}, got {sizes['g']} "
            f"in shape {tuple(key.shape)} (b g k d)."
        )
    if mask is not None:
        check_mask(mask, **{axis: sizes[axis] for axis in "bhqk"})
    if causal and sizes["q"] != sizes["k"]:
        raise ShapeError(
            f"causal: expected as many queries as keys, got {sizes['q']} and {sizes['k']}. "
            "Fix: say which keys are visible with a mask."
        )
