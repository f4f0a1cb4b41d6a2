"""Plausible wrong answers to ex-07-1, scaled dot-product attention."""

import math

import torch


def no_scale(query, key, value, mask=None):
    """The scores are not divided by the root of d_k, so every row of weights is too sharp."""
    scores = query @ key.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1).nan_to_num(0.0) @ value


def divided_by_d_k(query, key, value, mask=None):
    """The scores are divided by d_k itself instead of its square root."""
    scores = query @ key.transpose(-2, -1) / query.shape[-1]
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1).nan_to_num(0.0) @ value


def softmax_over_queries(query, key, value, mask=None):
    """The softmax runs down the columns: the weights of a key sum to 1, not those of a query."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-2).nan_to_num(0.0) @ value


def mask_upside_down(query, key, value, mask=None):
    """True is taken to mean hidden, so a query attends to exactly what it must not see."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(mask, -math.inf)
    return scores.softmax(dim=-1).nan_to_num(0.0) @ value


def mask_after_softmax(query, key, value, mask=None):
    """Hidden weights are set to 0 after the softmax, so the rest of the row no longer sums to 1."""
    weights = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ value


def mask_ignored(query, key, value, mask=None):
    """The mask is accepted and never used."""
    return (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1) @ value


def hidden_by_a_number(query, key, value, mask=None):
    """A hidden score becomes a large negative number: when scores are larger, the key is seen."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is None:
        return scores.softmax(dim=-1) @ value
    weights = scores.masked_fill(~mask, -1e4).softmax(dim=-1)
    return (weights * mask.any(dim=-1, keepdim=True)) @ value


def mask_added_as_numbers(query, key, value, mask=None):
    """The mask is added as 0 and 1, which prefers the visible keys a little and hides nothing."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    return scores.softmax(dim=-1) @ value


def empty_row_gives_nan(query, key, value, mask=None):
    """A query that may attend to nothing gives NaN, which spreads through the whole model."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1) @ value


def empty_row_gives_the_mean(query, key, value, mask=None):
    """Hidden scores are large negative numbers: a row of them alone becomes an even average."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-1) @ value


def softmax_by_hand(query, key, value, mask=None):
    """The exponential is taken without subtracting the maximum, so large scores overflow."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    powers = scores.exp()
    return (powers / powers.sum(dim=-1, keepdim=True)).nan_to_num(0.0, posinf=math.inf) @ value
