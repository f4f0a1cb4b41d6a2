"""Wrong answers to ex-07-2-limit."""


def only_above(number, low, high):
    """Both limits count, not only the upper one."""
    return min(number, high)


def only_below(number, low, high):
    """Both limits count, not only the lower one."""
    return max(number, low)


def swapped(number, low, high):
    """min and max exchanged: everything becomes a limit."""
    return max(min(number, low), high)


def wraps(number, low, high):
    """A limit is not a remainder."""
    return number % (high + 1)
