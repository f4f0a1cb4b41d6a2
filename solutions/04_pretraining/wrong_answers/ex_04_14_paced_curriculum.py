"""Plausible wrong answers to ex-04-14, a paced curriculum."""

import math

from llm_course.data.mixture.chance import uniform


def _check(doc_order):
    if len(doc_order) == 0:
        raise ValueError("doc_order: expected at least one document.")


def _share(step, n_steps, start, power):
    if step >= n_steps:
        return 1.0
    lowest = start**power
    return (step / n_steps * (1 - lowest) + lowest) ** (1 / power)


def _pick(doc_order, released, seed, step):
    return int(doc_order[int(uniform(seed, "curriculum", step) * released)])


def everything_at_once(doc_order, step, n_steps, seed, start=0.1, power=2.0):
    """All documents are released from the first step on: no curriculum."""
    _check(doc_order)
    return _pick(doc_order, len(doc_order), seed, step)


def hard_first(doc_order, step, n_steps, seed, start=0.1, power=2.0):
    """The order is read from its hard end."""
    _check(doc_order)
    released = max(1, math.ceil(_share(step, n_steps, start, power) * len(doc_order) - 1e-9))
    return _pick(doc_order[::-1], released, seed, step)


def linear_pace(doc_order, step, n_steps, seed, start=0.1, power=2.0):
    """The power is ignored: new documents come at a constant rate."""
    _check(doc_order)
    released = max(1, math.ceil(_share(step, n_steps, start, 1.0) * len(doc_order) - 1e-9))
    return _pick(doc_order, released, seed, step)


def start_not_raised(doc_order, step, n_steps, seed, start=0.1, power=2.0):
    """The start is not raised to the power inside the root."""
    _check(doc_order)
    share = min(1.0, (step / n_steps * (1 - start) + start) ** (1 / power))
    return _pick(doc_order, max(1, math.ceil(share * len(doc_order) - 1e-9)), seed, step)


def hardest_released(doc_order, step, n_steps, seed, start=0.1, power=2.0):
    """The last released document is given instead of a draw from all of them."""
    _check(doc_order)
    released = max(1, math.ceil(_share(step, n_steps, start, power) * len(doc_order) - 1e-9))
    return int(doc_order[released - 1])


def rounded_down(doc_order, step, n_steps, seed, start=0.1, power=2.0):
    """The share is rounded down."""
    _check(doc_order)
    released = max(1, int(_share(step, n_steps, start, power) * len(doc_order)))
    return _pick(doc_order, released, seed, step)


def never_clipped(doc_order, step, n_steps, seed, start=0.1, power=2.0):
    """The share goes on growing after T, and the draw runs off the end."""
    _check(doc_order)
    share = (step / n_steps * (1 - start**power) + start**power) ** (1 / power)
    return _pick(doc_order, max(1, math.ceil(share * len(doc_order) - 1e-9)), seed, step)


def same_number_always(doc_order, step, n_steps, seed, start=0.1, power=2.0):
    """The random number of step 0 is used in every step."""
    _check(doc_order)
    released = max(1, math.ceil(_share(step, n_steps, start, power) * len(doc_order) - 1e-9))
    return _pick(doc_order, released, seed, 0)
