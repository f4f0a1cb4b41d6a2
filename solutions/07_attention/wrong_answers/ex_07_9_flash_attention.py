"""Plausible wrong answers to ex-07-9, FlashAttention's forward pass."""

import math

import torch

from llm_course.model.online_softmax import attention_of, online_softmax_merge, partial_attention


def _row(q, key, value, tile, scale):
    running = None
    for j in range(0, key.shape[2], tile):
        k, v = key[:, :, j : j + tile], value[:, :, j : j + tile]
        piece = partial_attention(q @ k.transpose(-2, -1) * scale, v)
        running = piece if running is None else online_softmax_merge(running, piece)
    return attention_of(running)


def no_scale(query, key, value, *, tile):
    """The scores are not divided by the root of d."""
    rows = range(0, query.shape[2], tile)
    return torch.cat([_row(query[:, :, i : i + tile], key, value, tile, 1.0) for i in rows], dim=2)


def softmax_in_each_tile(query, key, value, *, tile):
    """Every tile has a softmax of its own, and the results are averaged."""
    scale, outputs = 1 / math.sqrt(query.shape[-1]), []
    for j in range(0, key.shape[2], tile):
        k, v = key[:, :, j : j + tile], value[:, :, j : j + tile]
        outputs.append((query @ k.transpose(-2, -1) * scale).softmax(dim=-1) @ v)
    return torch.stack(outputs).mean(dim=0)


def last_tile_left_out(query, key, value, *, tile):
    """Only whole tiles are visited: keys that do not fill one are lost."""
    whole = max(key.shape[2] // tile * tile, min(tile, key.shape[2]))
    scale, rows = 1 / math.sqrt(query.shape[-1]), range(0, query.shape[2], tile)
    k, v = key[:, :, :whole], value[:, :, :whole]
    return torch.cat([_row(query[:, :, i : i + tile], k, v, tile, scale) for i in rows], dim=2)


def diagonal_tiles_only(query, key, value, *, tile):
    """A tile of queries meets the tile of keys of the same number and no other."""
    scale, rows = 1 / math.sqrt(query.shape[-1]), []
    for i in range(0, query.shape[2], tile):
        j = min(i, key.shape[2] - 1)
        k, v = key[:, :, j : j + tile], value[:, :, j : j + tile]
        rows.append(_row(query[:, :, i : i + tile], k, v, tile, scale))
    return torch.cat(rows, dim=2)


def plain_exponentials(query, key, value, *, tile):
    """Sums of exponentials without a maximum: right until a score is large."""
    scale, total, weighted = 1 / math.sqrt(query.shape[-1]), 0.0, 0.0
    for j in range(0, key.shape[2], tile):
        e = torch.exp(query @ key[:, :, j : j + tile].transpose(-2, -1) * scale)
        total = total + e.sum(dim=-1, keepdim=True)
        weighted = weighted + e @ value[:, :, j : j + tile]
    return weighted / total
