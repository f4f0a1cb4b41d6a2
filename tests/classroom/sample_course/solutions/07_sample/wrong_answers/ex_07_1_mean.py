"""Wrong answers to ex-07-1-mean."""


def whole_division(numbers):
    """Whole division drops the fraction."""
    return sum(numbers) // len(numbers)


def forgets_to_divide(numbers):
    """The sum is not the mean."""
    return sum(numbers)


def divides_by_one_less(numbers):
    """The n - 1 of the sample variance has no place in the mean."""
    return sum(numbers) / max(len(numbers) - 1, 1)


def middle_element(numbers):
    """The middle number is the median, not the mean."""
    return sorted(numbers)[len(numbers) // 2]
