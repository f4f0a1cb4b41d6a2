"""Plausible wrong answers to ex-06-4, the decoder layer."""

from llm_course.model import feed_forward as ffn
from llm_course.model import masks, multi_head, norms


def _norm(x, weights, i):
    return norms.layer_norm(x, weights["gains"][i], weights["shifts"][i])


def _past(x, weights, n_heads, mask="causal"):
    mask = masks.causal_mask(x.shape[1]) if mask == "causal" else mask
    return multi_head.multi_head_attention(x, *weights["attention"], n_heads, mask)


def _source(x, memory, weights, n_heads, mask):
    return multi_head.cross_attention(x, memory, *weights["cross_attention"], n_heads, mask)


def _think(x, weights):
    return ffn.feed_forward(x, *(weights[name] for name in ("w_1", "b_1", "w_2", "b_2")))


def sees_the_future(x, memory, weights, n_heads, memory_mask=None):
    """Self-attention without the causal mask: the target is in plain sight."""
    x = _norm(x + _past(x, weights, n_heads, mask=None), weights, 0)
    x = _norm(x + _source(x, memory, weights, n_heads, memory_mask), weights, 1)
    return _norm(x + _think(x, weights), weights, 2)


def source_first(x, memory, weights, n_heads, memory_mask=None):
    """Cross-attention comes before self-attention."""
    x = _norm(x + _source(x, memory, weights, n_heads, memory_mask), weights, 0)
    x = _norm(x + _past(x, weights, n_heads), weights, 1)
    return _norm(x + _think(x, weights), weights, 2)


def memory_mask_forgotten(x, memory, weights, n_heads, memory_mask=None):
    """Padding of the source is attended to."""
    x = _norm(x + _past(x, weights, n_heads), weights, 0)
    x = _norm(x + _source(x, memory, weights, n_heads, None), weights, 1)
    return _norm(x + _think(x, weights), weights, 2)


def no_cross_attention(x, memory, weights, n_heads, memory_mask=None):
    """The sub-layer that makes it the decoder of a pair is missing: the source is never read."""
    x = _norm(x + _past(x, weights, n_heads), weights, 0)
    x = _norm(x, weights, 1)
    return _norm(x + _think(x, weights), weights, 2)


def same_matrices_twice(x, memory, weights, n_heads, memory_mask=None):
    """Cross-attention uses the matrices of self-attention."""
    x = _norm(x + _past(x, weights, n_heads), weights, 0)
    read = multi_head.cross_attention(x, memory, *weights["attention"], n_heads, memory_mask)
    x = _norm(x + read, weights, 1)
    return _norm(x + _think(x, weights), weights, 2)


def no_residual_around_the_source(x, memory, weights, n_heads, memory_mask=None):
    """What was read of the source replaces the stream."""
    x = _norm(x + _past(x, weights, n_heads), weights, 0)
    x = _norm(_source(x, memory, weights, n_heads, memory_mask), weights, 1)
    return _norm(x + _think(x, weights), weights, 2)


def source_asked_by_the_input(x, memory, weights, n_heads, memory_mask=None):
    """The queries of cross-attention come from the input of the layer, not from its stream."""
    past = _norm(x + _past(x, weights, n_heads), weights, 0)
    read = _norm(past + _source(x, memory, weights, n_heads, memory_mask), weights, 1)
    return _norm(read + _think(read, weights), weights, 2)


def norms_in_another_order(x, memory, weights, n_heads, memory_mask=None):
    """The second and the third norm have changed places."""
    x = _norm(x + _past(x, weights, n_heads), weights, 0)
    x = _norm(x + _source(x, memory, weights, n_heads, memory_mask), weights, 2)
    return _norm(x + _think(x, weights), weights, 1)


def norm_first(x, memory, weights, n_heads, memory_mask=None):
    """The norms stand before the sub-layers, as in later models."""
    x = x + _past(_norm(x, weights, 0), weights, n_heads)
    x = x + _source(_norm(x, weights, 1), memory, weights, n_heads, memory_mask)
    return x + _think(_norm(x, weights, 2), weights)


def one_head(x, memory, weights, n_heads, memory_mask=None):
    """The heads of cross-attention are not split."""
    x = _norm(x + _past(x, weights, n_heads), weights, 0)
    x = _norm(x + _source(x, memory, weights, 1, memory_mask), weights, 1)
    return _norm(x + _think(x, weights), weights, 2)
