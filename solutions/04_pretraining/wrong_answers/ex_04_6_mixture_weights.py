"""Plausible wrong answers to ex-04-6, weights with a temperature."""

import math


def _check(sizes, temperature):
    if temperature <= 0 or min(sizes.values()) <= 0:
        raise ValueError("expected positive numbers.")


def _shares(values):
    total = sum(values.values())
    return {name: value / total for name, value in values.items()}


def power_of_t(sizes, temperature):
    """Sizes are raised to T instead of 1/T: a high temperature sharpens."""
    _check(sizes, temperature)
    if math.isinf(temperature):
        return _shares(dict.fromkeys(sizes, 1.0))
    logs = {name: math.log(size) * temperature for name, size in sizes.items()}
    largest = max(logs.values())
    return _shares({name: math.exp(log - largest) for name, log in logs.items()})


def softmax_of_sizes(sizes, temperature):
    """A softmax of the sizes themselves, not of their logarithms."""
    _check(sizes, temperature)
    largest = max(sizes.values())
    return _shares({name: math.exp((s - largest) / temperature) for name, s in sizes.items()})


def divided(sizes, temperature):
    """The sizes are divided by T, which cancels: always proportional."""
    _check(sizes, temperature)
    if math.isinf(temperature):
        return _shares(dict.fromkeys(sizes, 1.0))
    return _shares({name: size / temperature for name, size in sizes.items()})


def not_normalised(sizes, temperature):
    """The proportions are flattened, but not made to add up to 1 again."""
    _check(sizes, temperature)
    return {name: share ** (1 / temperature) for name, share in _shares(sizes).items()}


def powers_overflow(sizes, temperature):
    """The formula as it stands: at a low temperature it overflows or divides 0 by 0."""
    _check(sizes, temperature)
    return _shares({name: float(size) ** (1 / temperature) for name, size in sizes.items()})


def no_error(sizes, temperature):
    """Right, but a size of 0 is left out instead of refused, and so is a bad temperature."""
    logs = {name: math.log(size) / (temperature or 1) for name, size in sizes.items() if size > 0}
    largest = max(logs.values(), default=0)
    return _shares({name: math.exp(log - largest) for name, log in logs.items()})


def sorted_names(sizes, temperature):
    """Right, but the names come out from the smallest source to the largest."""
    _check(sizes, temperature)
    logs = {name: math.log(sizes[name]) / temperature for name in sorted(sizes, key=sizes.get)}
    largest = max(logs.values())
    return _shares({name: math.exp(log - largest) for name, log in logs.items()})
