"""Plausible wrong answers to ex-10-2, top-p."""

import math

import torch


def from_the_likely_end(logits, p):
    """Sums from the likely end: they round to 1, and p = 1 loses the rare tokens."""
    falling, places = logits.sort(dim=-1, descending=True)
    probabilities = falling.softmax(dim=-1)
    gone = probabilities.cumsum(dim=-1) - probabilities >= p
    outside = torch.zeros_like(gone).scatter(-1, places, gone)
    return logits.masked_fill(outside, -math.inf)


def stops_below_p(logits, p):
    """Keeps tokens while their sum is at most p: the one that reaches p is lost."""
    falling, places = logits.sort(dim=-1, descending=True)
    gone = falling.softmax(dim=-1).cumsum(dim=-1) > p
    gone[..., 0] = False
    outside = torch.zeros_like(gone).scatter(-1, places, gone)
    return logits.masked_fill(outside, -math.inf)


def order_not_restored(logits, p):
    """The mask stays in sorted order."""
    gone = logits.sort(dim=-1).values.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    gone[..., -1] = False
    return logits.masked_fill(gone, -math.inf)


def a_threshold(logits, p):
    """Each token by itself must have a probability of 1 - p."""
    probabilities = logits.softmax(dim=-1)
    highest = probabilities.amax(dim=-1, keepdim=True)
    outside = (probabilities < 1 - p) & (probabilities < highest)
    return logits.masked_fill(outside, -math.inf)


def the_likeliest_may_go(logits, p):
    """Nothing is left when p is small and the likeliest token is not likely."""
    rising, places = logits.sort(dim=-1)
    gone = rising.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    gone |= rising.softmax(dim=-1) < 1 - p - 0.1
    outside = torch.zeros_like(gone).scatter(-1, places, gone)
    return logits.masked_fill(outside, -math.inf)


def removed_is_zero(logits, p):
    """A removed token gets the logit 0."""
    rising, places = logits.sort(dim=-1)
    gone = rising.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    gone[..., -1] = False
    outside = torch.zeros_like(gone).scatter(-1, places, gone)
    return logits.masked_fill(outside, 0.0)


def returns_probabilities(logits, p):
    """The kept tokens' probabilities come back instead of their logits."""
    rising, places = logits.sort(dim=-1)
    gone = rising.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    gone[..., -1] = False
    outside = torch.zeros_like(gone).scatter(-1, places, gone)
    return logits.masked_fill(outside, -math.inf).softmax(dim=-1)
