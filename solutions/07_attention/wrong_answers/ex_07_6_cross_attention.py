"""Plausible wrong answers to ex-07-6, cross-attention."""

from einops import rearrange

from llm_course.model.attention import scaled_dot_product_attention


def _heads(query, key, value, w_output, n_heads, mask, pattern="b t (h d) -> b h t d"):
    query, key, value = (rearrange(x, pattern, h=n_heads) for x in (query, key, value))
    heads = scaled_dot_product_attention(query, key, value, mask)
    return rearrange(heads, "b h t d -> b t (h d)") @ w_output


def self_attention(x, memory, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The memory is never read: keys and values come from x as well."""
    mask = None if mask is None else mask[..., :1]
    return _heads(x @ w_query, x @ w_key, x @ w_value, w_output, n_heads, mask)


def queries_from_memory(x, memory, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The roles are swapped: the memory asks and x answers, so there are as many rows as keys."""
    mask = None if mask is None else mask[..., :1]
    return _heads(memory @ w_query, x @ w_key, x @ w_value, w_output, n_heads, mask)


def key_matrix_for_values(x, memory, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """Keys and values are one projection: the memory hands over what it is found by."""
    return _heads(x @ w_query, memory @ w_key, memory @ w_key, w_output, n_heads, mask)


def mask_ignored(x, memory, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The padding of the memory is read like any other token."""
    return _heads(x @ w_query, memory @ w_key, memory @ w_value, w_output, n_heads, None)


def no_output_matrix(x, memory, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """The merged heads are returned as they are, without the last projection."""
    same = w_output.new_ones(len(w_output)).diag()
    return _heads(x @ w_query, memory @ w_key, memory @ w_value, same, n_heads, mask)


def features_interleaved(x, memory, w_query, w_key, w_value, w_output, n_heads, mask=None):
    """Head i takes every h-th feature instead of a run of neighbours."""
    projected = x @ w_query, memory @ w_key, memory @ w_value
    return _heads(*projected, w_output, n_heads, mask, "b t (d h) -> b h t d")
