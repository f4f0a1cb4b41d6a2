"""Wrong answers to ex-07-3-totals."""


def only_the_last(numbers):
    """A running total is a list, not its last entry."""
    return sum(numbers)


def leaves_out_current(numbers):
    """The total of the first i numbers includes number i."""
    return [sum(numbers[:i]) for i in range(len(numbers))]


def never_falls(numbers):
    """A total may fall: negative numbers count with their sign."""
    return [sum(abs(x) for x in numbers[: i + 1]) for i in range(len(numbers))]


def starts_with_zero(numbers):
    """There are as many totals as numbers; zero is not one of them."""
    return [sum(numbers[:i]) for i in range(len(numbers) + 1)]
