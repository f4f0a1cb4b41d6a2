"""Gradient buckets: which gradients travel together.

One message for each gradient would pay the start of a message hundreds of times; one message for
all could not begin before the backward pass has ended. Buckets of a few megabytes are between.
"""

from collections.abc import Sequence


def gradient_buckets(sizes: Sequence[int], capacity: int) -> list[list[int]]:
    """Put gradients into buckets, in the order in which the backward pass makes them.

    That is the **reverse** of the order in which the layers are used: the last layer's gradient is
    ready first, and its bucket leaves while the other layers are still computing. A bucket is
    closed when the next gradient would not fit; one that is larger than a bucket has one alone.

    Args:
        sizes: bytes (or numbers) of each parameter, in the order of the layers.
        capacity: bytes (or numbers) of a bucket.

    Returns:
        Buckets of indices into ``sizes``, the one that is ready first coming first.

    Raises:
        ValueError: the capacity is not positive, or a size is negative.

    Source:
        Li et al. 2020, arXiv:2006.15704, section 3.2.

    >>> gradient_buckets([4, 4, 4, 4, 4], capacity=8)
    [[4, 3], [2, 1], [0]]
    >>> gradient_buckets([1, 9, 1, 1], capacity=3)
    [[3, 2], [1], [0]]
    """
    if capacity < 1:
        raise ValueError(f"capacity: expected a positive number, got {capacity}.")
    if any(size < 0 for size in sizes):
        raise ValueError(f"sizes: expected 0 or more, got {min(sizes)}.")
    buckets: list[list[int]] = []
    room = 0
    for index in reversed(range(len(sizes))):
        if not buckets or sizes[index] > room:
            buckets.append([])
            room = capacity
        buckets[-1].append(index)
        room -= sizes[index]
    return buckets
