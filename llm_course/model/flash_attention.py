"""FlashAttention: exact attention that never holds the matrix of scores.

Queries and keys are taken in tiles. A tile of scores is made, used and forgotten; running sums
(`online_softmax`) join the tiles. The backward pass keeps one number for each query from the
forward pass and makes every tile again. Memory grows with the sequence, not with its square; the
arithmetic is the same, and on a GPU, where a tile stays in fast memory, so is most of the gain in
time. Plain PyTorch here, to be read.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from einops import einsum, rearrange, reduce
from torch import Tensor

from llm_course.model.masks import check_mask
from llm_course.model.online_softmax import (
    Partial,
    attention_of,
    log_normaliser,
    online_softmax_merge,
    partial_attention,
)
from llm_course.shapes import ShapeError, check_shape

TILE = 256  # positions of queries, and of keys, in one tile


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
    return _Flash.apply(query, key, value, mask, causal, tile)


class _Flash(torch.autograd.Function):
    """The two passes; what is kept between them grows with the sequence only."""

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
        scale, grouped = 1 / math.sqrt(query.shape[-1]), _grouped(query, key)
        output = torch.empty_like(grouped)
        normaliser = grouped.new_empty(grouped.shape[:-1])
        for rows in _tiles(query.shape[2], tile):
            q, running = grouped[..., rows, :] * scale, None
            for columns in _tiles(_end(rows, key.shape[2], causal), tile):
                scores = _scores(q, key, mask, causal, rows, columns)
                part = partial_attention(
                    scores, rearrange(value[:, :, columns], "b g k d -> b g 1 k d")
                )
                running = part if running is None else online_softmax_merge(running, part)
            output[..., rows, :], normaliser[..., rows] = _ended(running, q)
        ctx.save_for_backward(query, key, value, mask, output, normaliser)
        ctx.causal, ctx.tile = causal, tile
        return rearrange(output, "b g r q d -> b (g r) q d")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, output, normaliser = ctx.saved_tensors
        grouped, gradient = _grouped(query, key), _grouped(gradient, key)
        scale = 1 / math.sqrt(query.shape[-1])
        d_query, d_key, d_value = (torch.zeros_like(x) for x in (grouped, key, value))
        for rows in _tiles(query.shape[2], ctx.tile):
            d_out, q = gradient[..., rows, :], grouped[..., rows, :] * scale
            # D = rowsum(dO * O), which equals rowsum(dP * P): no row of P is needed for it.
            through = reduce(d_out * output[..., rows, :], "b g r q d -> b g r q 1", "sum")
            for columns in _tiles(_end(rows, key.shape[2], ctx.causal), ctx.tile):
                k, v = key[:, :, columns], value[:, :, columns]
                scores = _scores(q, key, mask, ctx.causal, rows, columns)
                weights = scores.sub_(normaliser[..., rows].unsqueeze(-1)).exp_()
                d_value[:, :, columns] += einsum(weights, d_out, "b g r q k, b g r q d -> b g k d")
                d_weights = einsum(d_out, v, "b g r q d, b g k d -> b g r q k")
                d_scores = d_weights.sub_(through).mul_(weights)
                d_query[..., rows, :] += einsum(d_scores, k, "b g r q k, b g k d -> b g r q d")
                d_key[:, :, columns] += einsum(d_scores, q, "b g r q k, b g r q d -> b g k d")
        d_query = rearrange(d_query.mul_(scale), "b g r q d -> b (g r) q d")
        return d_query, d_key, d_value, None, None, None


def _grouped(x: Tensor, key: Tensor) -> Tensor:
    """Query heads beside the key-value head that they share: ``b h q d`` as ``b g r q d``."""
    return rearrange(x, "b (g r) q d -> b g r q d", g=key.shape[1])


class _Ended(NamedTuple):
    """What a tile of queries comes to."""

    output: Tensor
    normaliser: Tensor


def _ended(running: Partial | None, query: Tensor) -> _Ended:
    """The output and the logarithm of its normaliser, once all keys have been seen."""
    if running is None:  # there are no keys at all
        return _Ended(torch.zeros_like(query), query.new_full(query.shape[:-1], torch.inf))
    return _Ended(attention_of(running), log_normaliser(running))


def _scores(
    query: Tensor, key: Tensor, mask: Tensor | None, causal: bool, rows: slice, columns: slice
) -> Tensor:
    """One tile of ``Q Kᵀ``, the queries scaled already, hidden keys at ``-inf``.

    Shapes:
        query ``b g r rows d``; key ``b g k d``; returns ``b g r rows columns``.
    """
    scores = einsum(query, key[:, :, columns], "b g r q d, b g k d -> b g r q k")
    if mask is not None:
        tile = mask[..., rows if mask.shape[2] > 1 else slice(None), :]
        tile = tile[..., columns if mask.shape[3] > 1 else slice(None)]
        g = key.shape[1] if mask.shape[1] > 1 else 1
        scores.masked_fill_(~rearrange(tile, "b (g r) q k -> b g r q k", g=g), -torch.inf)
    if causal and columns.stop - 1 > rows.start:
        here = torch.arange(rows.start, rows.stop, device=query.device)
        there = torch.arange(columns.start, columns.stop, device=query.device)
        later = rearrange(there, "k -> 1 k") > rearrange(here, "q -> q 1")
        scores.masked_fill_(later, -torch.inf)
    return scores


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
