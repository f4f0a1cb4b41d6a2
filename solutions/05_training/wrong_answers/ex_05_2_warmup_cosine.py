"""Plausible wrong answers to ex-05-2, warm-up and cosine."""

import math


def _fall(progress, peak, minimum):
    return minimum + (peak - minimum) * (1 + math.cos(math.pi * progress)) / 2


def begins_at_zero(step, *, peak, n_steps, warmup_steps=0, minimum=0.0):
    """The step itself is counted, from 0: the first step of the warm-up does nothing."""
    if step < warmup_steps:
        return peak * step / warmup_steps
    return _fall((step - warmup_steps) / (n_steps - warmup_steps), peak, minimum)


def minimum_forgotten(step, *, peak, n_steps, warmup_steps=0, minimum=0.0):
    """The cosine falls to 0, and only what lies below the minimum is cut off."""
    s = step + 1
    if s <= warmup_steps:
        return peak * s / warmup_steps
    return max(minimum, _fall((s - warmup_steps) / (n_steps - warmup_steps), peak, 0.0))


def cosine_over_the_whole_run(step, *, peak, n_steps, warmup_steps=0, minimum=0.0):
    """Progress is counted from the first step of the run, not from the end of the warm-up."""
    s = step + 1
    if s <= warmup_steps:
        return peak * s / warmup_steps
    return _fall(s / n_steps, peak, minimum)


def warm_up_from_the_minimum(step, *, peak, n_steps, warmup_steps=0, minimum=0.0):
    """The rise begins at the minimum instead of zero."""
    s = step + 1
    if s <= warmup_steps:
        return minimum + (peak - minimum) * s / warmup_steps
    return _fall((s - warmup_steps) / (n_steps - warmup_steps), peak, minimum)


def whole_cosine(step, *, peak, n_steps, warmup_steps=0, minimum=0.0):
    """A whole period: the rate is back at its peak at the end."""
    s = step + 1
    if s <= warmup_steps:
        return peak * s / warmup_steps
    return _fall(2 * (s - warmup_steps) / (n_steps - warmup_steps), peak, minimum)


def straight_fall(step, *, peak, n_steps, warmup_steps=0, minimum=0.0):
    """The rate falls in a straight line."""
    s = step + 1
    if s <= warmup_steps:
        return peak * s / warmup_steps
    return peak - (peak - minimum) * (s - warmup_steps) / (n_steps - warmup_steps)
