"""Plausible wrong answers to ex-06-3, the encoder layer."""

from llm_course.model import feed_forward as ffn
from llm_course.model import multi_head, norms


def _attend(x, weights, n_heads, mask):
    return multi_head.multi_head_attention(x, *weights["attention"], n_heads, mask)


def _think(x, weights):
    return ffn.feed_forward(x, *(weights[name] for name in ("w_1", "b_1", "w_2", "b_2")))


def _norm(x, weights, i):
    return norms.layer_norm(x, weights["gains"][i], weights["shifts"][i])


def no_residual(x, weights, n_heads, mask=None):
    """The input is not added: each sub-layer replaces the stream."""
    x = _norm(_attend(x, weights, n_heads, mask), weights, 0)
    return _norm(_think(x, weights), weights, 1)


def norm_first(x, weights, n_heads, mask=None):
    """The norms stand before the sub-layers, as in later models."""
    x = x + _attend(_norm(x, weights, 0), weights, n_heads, mask)
    return x + _think(_norm(x, weights, 1), weights)


def norm_inside(x, weights, n_heads, mask=None):
    """The output of the sub-layer is normalised, and then added."""
    x = x + _norm(_attend(x, weights, n_heads, mask), weights, 0)
    return x + _norm(_think(x, weights), weights, 1)


def side_by_side(x, weights, n_heads, mask=None):
    """The feed-forward reads the input of the layer, not the result of attention."""
    attended = _norm(x + _attend(x, weights, n_heads, mask), weights, 0)
    return _norm(attended + _think(x, weights), weights, 1)


def input_added_twice(x, weights, n_heads, mask=None):
    """The second addition takes the input of the whole layer."""
    attended = _norm(x + _attend(x, weights, n_heads, mask), weights, 0)
    return _norm(x + _think(attended, weights), weights, 1)


def feed_forward_first(x, weights, n_heads, mask=None):
    """The sub-layers have changed places."""
    x = _norm(x + _think(x, weights), weights, 0)
    return _norm(x + _attend(x, weights, n_heads, mask), weights, 1)


def one_norm_for_both(x, weights, n_heads, mask=None):
    """Both sub-layers share the gain and shift of the first."""
    x = _norm(x + _attend(x, weights, n_heads, mask), weights, 0)
    return _norm(x + _think(x, weights), weights, 0)


def mask_forgotten(x, weights, n_heads, mask=None):
    """The mask is accepted and never handed on."""
    x = _norm(x + _attend(x, weights, n_heads, None), weights, 0)
    return _norm(x + _think(x, weights), weights, 1)


def mask_upside_down(x, weights, n_heads, mask=None):
    """The mask is turned round, as PyTorch's nn.Transformer would want it."""
    hidden = None if mask is None else ~mask
    x = _norm(x + _attend(x, weights, n_heads, hidden), weights, 0)
    return _norm(x + _think(x, weights), weights, 1)


def one_head(x, weights, n_heads, mask=None):
    """The number of heads is not handed on: one wide head."""
    x = _norm(x + _attend(x, weights, 1, mask), weights, 0)
    return _norm(x + _think(x, weights), weights, 1)


def norm_over_the_tokens(x, weights, n_heads, mask=None):
    """Mean and spread are taken over the tokens, where they belong to each token's features."""

    def norm(x, i):
        mean, var = x.mean(dim=1, keepdim=True), x.var(dim=1, keepdim=True, unbiased=False)
        return weights["gains"][i] * (x - mean) / (var + 1e-5).sqrt() + weights["shifts"][i]

    x = norm(x + _attend(x, weights, n_heads, mask), 0)
    return norm(x + _think(x, weights), 1)
