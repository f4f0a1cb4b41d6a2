"""Plausible wrong answers to ex-04-8, a mixture that follows the losses."""

import math


def _check(weights):
    if abs(sum(weights.values()) - 1) > 1e-9:
        raise ValueError("weights: expected a sum of 1.")


def _moved(weights, losses, step_size):
    largest = max(step_size * losses[name] for name, share in weights.items() if share > 0)
    moved = {
        name: share * math.exp(step_size * losses[name] - largest) if share > 0 else 0.0
        for name, share in weights.items()
    }
    total = sum(moved.values())
    return {name: part / total for name, part in moved.items()}


def less_for_the_lagging(weights, losses, step_size=1.0, smoothing=1e-3):
    """The sign of a descent: domains with a large loss get less."""
    _check(weights)
    moved = _moved(weights, losses, -step_size)
    return {n: (1 - smoothing) * part + smoothing / len(moved) for n, part in moved.items()}


def forgets_the_weights(weights, losses, step_size=1.0, smoothing=1e-3):
    """A softmax of the losses alone: what was learnt in earlier steps is forgotten."""
    _check(weights)
    moved = _moved(dict.fromkeys(weights, 1.0), losses, step_size)
    return {n: (1 - smoothing) * part + smoothing / len(moved) for n, part in moved.items()}


def adds_the_losses(weights, losses, step_size=1.0, smoothing=1e-3):
    """Losses are added to the weights instead of multiplying them by a power."""
    _check(weights)
    moved = {name: share + step_size * losses[name] for name, share in weights.items()}
    total = sum(moved.values())
    return {n: (1 - smoothing) * part / total + smoothing / len(moved) for n, part in moved.items()}


def smoothed_before(weights, losses, step_size=1.0, smoothing=1e-3):
    """Smoothed before the step instead of after it."""
    _check(weights)
    even = {n: (1 - smoothing) * share + smoothing / len(weights) for n, share in weights.items()}
    return _moved(even, losses, step_size)


def no_smoothing(weights, losses, step_size=1.0, smoothing=1e-3):
    """The last term is left out."""
    _check(weights)
    return _moved(weights, losses, step_size)


def smoothing_not_shared(weights, losses, step_size=1.0, smoothing=1e-3):
    """Each domain gets c, not c / k: the shares add up to more than 1."""
    _check(weights)
    return {
        n: (1 - smoothing) * p + smoothing for n, p in _moved(weights, losses, step_size).items()
    }


def overflows(weights, losses, step_size=1.0, smoothing=1e-3):
    """The formula as it stands, which overflows at a large loss."""
    _check(weights)
    moved = {name: share * math.exp(step_size * losses[name]) for name, share in weights.items()}
    total = sum(moved.values())
    return {n: (1 - smoothing) * part / total + smoothing / len(moved) for n, part in moved.items()}


def by_place(weights, losses, step_size=1.0, smoothing=1e-3):
    """Losses are matched by place instead of by name."""
    _check(weights)
    placed = dict(zip(weights, losses.values(), strict=True))
    moved = _moved(weights, placed, step_size)
    return {n: (1 - smoothing) * part + smoothing / len(moved) for n, part in moved.items()}


def in_place(weights, losses, step_size=1.0, smoothing=1e-3):
    """Right, but the dictionary that came in is written over."""
    _check(weights)
    for name, part in _moved(weights, losses, step_size).items():
        weights[name] = (1 - smoothing) * part + smoothing / len(weights)
    return weights


def no_error(weights, losses, step_size=1.0, smoothing=1e-3):
    """Right, but weights that do not add up to 1 are accepted."""
    moved = _moved(weights, losses, step_size)
    return {n: (1 - smoothing) * part + smoothing / len(moved) for n, part in moved.items()}
