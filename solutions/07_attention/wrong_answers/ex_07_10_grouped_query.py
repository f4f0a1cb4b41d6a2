"""Plausible wrong answers to ex-07-10, grouped-query attention."""

import math

from einops import repeat


def _attend(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1) @ value


def _check(query, key):
    if query.shape[1] % key.shape[1]:
        raise ValueError("key: expected heads that divide those of the query.")
    return query.shape[1] // key.shape[1]


def every_gth_head_shares(query, key, value, mask=None):
    """The groups are dealt out like cards: heads 0, 2, 4 share, not 0, 1, 2."""
    times = _check(query, key)
    key, value = (repeat(x, "b g k d -> b (r g) k d", r=times) for x in (key, value))
    return _attend(query, key, value, mask)


def first_group_for_all(query, key, value, mask=None):
    """All heads read group 0, whatever the number of groups."""
    _check(query, key)
    return _attend(query, key[:, :1], value[:, :1], mask)


def keys_shared_values_averaged(query, key, value, mask=None):
    """The keys are shared rightly; the values are the mean over all groups."""
    times = _check(query, key)
    key = repeat(key, "b g k d -> b (g r) k d", r=times)
    return _attend(query, key, value.mean(dim=1, keepdim=True), mask)


def no_scale(query, key, value, mask=None):
    """The scores are not divided by the root of d."""
    times = _check(query, key)
    key, value = (repeat(x, "b g k d -> b (g r) k d", r=times) for x in (key, value))
    return _attend(query * math.sqrt(query.shape[-1]), key, value, mask)


def mask_ignored(query, key, value, mask=None):
    """The mask is accepted and never used."""
    times = _check(query, key)
    key, value = (repeat(x, "b g k d -> b (g r) k d", r=times) for x in (key, value))
    return _attend(query, key, value, None)


def remainder_unnoticed(query, key, value, mask=None):
    """Heads that do not share evenly are served by the last group instead of refused."""
    n_heads, n_groups = query.shape[1], key.shape[1]
    of = [min(i * n_groups // n_heads, n_groups - 1) for i in range(n_heads)]
    return _attend(query, key[:, of], value[:, of], mask)
