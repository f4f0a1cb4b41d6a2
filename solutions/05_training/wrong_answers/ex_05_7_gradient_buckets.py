"""Plausible wrong answers to ex-05-7, gradient buckets."""


def _in_order(sizes, capacity, indices):
    buckets, room = [], 0
    for index in indices:
        if not buckets or sizes[index] > room:
            buckets.append([])
            room = capacity
        buckets[-1].append(index)
        room -= sizes[index]
    return buckets


def in_the_order_of_the_layers(sizes, capacity):
    """The first layer's gradient comes first; the backward pass makes it last."""
    return _in_order(sizes, capacity, range(len(sizes)))


def buckets_of_the_forward_order(sizes, capacity):
    """Buckets are filled from the first layer on and only then turned round."""
    return [bucket[::-1] for bucket in _in_order(sizes, capacity, range(len(sizes)))[::-1]]


def never_quite_full(sizes, capacity):
    """A gradient that would fill the bucket exactly opens a new one."""
    buckets, room = [], 0
    for index in reversed(range(len(sizes))):
        if not buckets or sizes[index] >= room:
            buckets.append([])
            room = capacity
        buckets[-1].append(index)
        room -= sizes[index]
    return buckets


def closed_when_over(sizes, capacity):
    """A bucket is closed after it has become too large, not before."""
    buckets, held = [], capacity
    for index in reversed(range(len(sizes))):
        if held >= capacity:
            buckets.append([])
            held = 0
        buckets[-1].append(index)
        held += sizes[index]
    return buckets


def first_bucket_that_fits(sizes, capacity):
    """Small gradients fill gaps of earlier buckets, which should have left by then."""
    buckets, rooms = [], []
    for index in reversed(range(len(sizes))):
        fitting = [number for number, room in enumerate(rooms) if sizes[index] <= room]
        if not fitting:
            fitting = [len(buckets)]
            buckets.append([])
            rooms.append(capacity)
        buckets[fitting[0]].append(index)
        rooms[fitting[0]] -= sizes[index]
    return buckets


def counts_parameters(sizes, capacity):
    """A bucket holds so many parameters, whatever their size."""
    indices = list(reversed(range(len(sizes))))
    return [indices[start : start + capacity] for start in range(0, len(indices), capacity)]
