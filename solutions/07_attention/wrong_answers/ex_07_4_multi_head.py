"""Plausible wrong answers to ex-07-4, multi-head attention."""

import math

from einops import rearrange

from llm_course.model import attention


def _check(x, n_heads):
    if x.shape[-1] % n_heads:
        raise ValueError(f"n_heads: expected a divisor of {x.shape[-1]}, got {n_heads}.")


def heads_cut_through_tokens(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """A bare reshape to (b, h, t, d) cuts the tokens apart instead of their features."""
    _check(x, n_heads)
    b, t, d = x.shape
    parts = [(x @ w).reshape(b, n_heads, t, d // n_heads) for w in (w_query, w_key, w_value)]
    heads = attention.scaled_dot_product_attention(*parts, mask)
    return rearrange(heads, "b h t d -> b t (h d)") @ w_output


def merged_without_moving_the_heads_back(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The heads are reshaped to (b, t, d) while they still stand before the tokens."""
    _check(x, n_heads)
    parts = [rearrange(x @ w, "b t (h d) -> b h t d", h=n_heads) for w in (w_query, w_key, w_value)]
    heads = attention.scaled_dot_product_attention(*parts, mask)
    return heads.reshape(x.shape) @ w_output


def features_interleaved(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """Head 0 takes every n-th feature instead of the first block of features."""
    _check(x, n_heads)
    parts = [rearrange(x @ w, "b t (d h) -> b h t d", h=n_heads) for w in (w_query, w_key, w_value)]
    heads = attention.scaled_dot_product_attention(*parts, mask)
    return rearrange(heads, "b h t d -> b t (h d)") @ w_output


def no_output_projection(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The heads are laid side by side and never mixed by the output matrix."""
    _check(x, n_heads)
    parts = [rearrange(x @ w, "b t (h d) -> b h t d", h=n_heads) for w in (w_query, w_key, w_value)]
    heads = attention.scaled_dot_product_attention(*parts, mask)
    return rearrange(heads, "b h t d -> b t (h d)")


def matrices_transposed(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The matrices are applied as x @ w.T, as nn.Linear keeps them, not as x @ w."""
    _check(x, n_heads)
    matrices = (w_query.T, w_key.T, w_value.T)
    parts = [rearrange(x @ w, "b t (h d) -> b h t d", h=n_heads) for w in matrices]
    heads = attention.scaled_dot_product_attention(*parts, mask)
    return rearrange(heads, "b h t d -> b t (h d)") @ w_output.T


def scaled_by_the_whole_width(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The scale is the root of d_model, where each head's own width counts."""
    _check(x, n_heads)
    matrices = (w_query, w_key, w_value)
    query, key, value = (rearrange(x @ w, "b t (h d) -> b h t d", h=n_heads) for w in matrices)
    query = query / math.sqrt(n_heads)
    heads = attention.scaled_dot_product_attention(query, key, value, mask)
    return rearrange(heads, "b h t d -> b t (h d)") @ w_output


def one_wide_head(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The features are never cut: a single head of full width, whatever n_heads says."""
    _check(x, n_heads)
    parts = [rearrange(x @ w, "b t d -> b 1 t d") for w in (w_query, w_key, w_value)]
    heads = attention.scaled_dot_product_attention(*parts, mask)
    return rearrange(heads, "b 1 t d -> b t d") @ w_output


def mask_forgotten(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The mask is accepted and never handed on."""
    _check(x, n_heads)
    return attention.multi_head_attention(x, w_query, w_key, w_value, w_output, n_heads)


def leftover_features_dropped(x, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """A number of heads that does not divide d is accepted, and the last features are lost."""
    b, t, d = x.shape
    used = d // n_heads * n_heads
    matrices = (w_query, w_key, w_value)
    parts = [rearrange((x @ w)[..., :used], "b t (h d) -> b h t d", h=n_heads) for w in matrices]
    heads = attention.scaled_dot_product_attention(*parts, mask)
    return rearrange(heads, "b h t d -> b t (h d)") @ w_output[:used]
