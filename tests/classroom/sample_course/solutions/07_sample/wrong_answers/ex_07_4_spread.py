"""Wrong answers to ex-07-4-spread."""

import math


def variance(numbers):
    """The root is missing: this is the variance."""
    centre = sum(numbers) / len(numbers)
    return sum((x - centre) ** 2 for x in numbers) / len(numbers)


def one_less(numbers):
    """The exercise divides by n, not by n - 1."""
    centre = sum(numbers) / len(numbers)
    return math.sqrt(sum((x - centre) ** 2 for x in numbers) / (len(numbers) - 1))


def mean_distance(numbers):
    """Distances are squared before they are averaged."""
    centre = sum(numbers) / len(numbers)
    return sum(abs(x - centre) for x in numbers) / len(numbers)


def uncentred(numbers):
    """Distances are measured from the mean, not from zero."""
    return math.sqrt(sum(x**2 for x in numbers) / len(numbers))
