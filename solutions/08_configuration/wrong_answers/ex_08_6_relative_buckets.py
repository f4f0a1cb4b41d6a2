"""Plausible wrong answers to ex-08-6, T5's buckets."""

import math

import torch


def _buckets(distance, bidirectional, n_buckets, max_distance, flip=1, halve=True, endless=False):
    distance = flip * distance
    n = n_buckets // 2 if bidirectional and halve else n_buckets
    start = n * (distance > 0).long() if bidirectional else torch.zeros_like(distance)
    steps = distance.abs() if bidirectional else (-distance).clamp(min=0)
    exact = n // 2
    growth = torch.log(steps.clamp(min=exact).float() / exact) / math.log(max_distance / exact)
    far = exact + (growth * (n - exact)).long()
    far = far if endless else far.clamp(max=n - 1)
    return start + torch.where(steps < exact, steps, far)


def signs_swapped(distance, bidirectional, n_buckets=32, max_distance=128):
    """The distance is taken as query minus key: past and future change places."""
    return _buckets(distance, bidirectional, n_buckets, max_distance, flip=-1)


def no_last_bucket(distance, bidirectional, n_buckets=32, max_distance=128):
    """Nothing stops the logarithm: beyond the largest distance the numbers leave the table."""
    return _buckets(distance, bidirectional, n_buckets, max_distance, endless=True)


def clamped_distances(distance, bidirectional, n_buckets=32, max_distance=128):
    """A bucket for each distance until they are used up, and no logarithm."""
    n = n_buckets // 2 if bidirectional else n_buckets
    start = n * (distance > 0).long() if bidirectional else torch.zeros_like(distance)
    steps = distance.abs() if bidirectional else (-distance).clamp(min=0)
    return start + steps.clamp(max=n - 1)


def both_directions_in_all_buckets(distance, bidirectional, n_buckets=32, max_distance=128):
    """The encoder's directions get all buckets each, so that there are twice as many."""
    return _buckets(distance, bidirectional, n_buckets, max_distance, halve=False)


def the_future_is_distance(distance, bidirectional, n_buckets=32, max_distance=128):
    """In one direction, keys ahead are treated like keys behind instead of as distance 0."""
    steps = distance if bidirectional else -distance.abs()
    return _buckets(steps, bidirectional, n_buckets, max_distance)


def zero_counts_as_ahead(distance, bidirectional, n_buckets=32, max_distance=128):
    """The token itself falls into the half that belongs to the future."""
    buckets = _buckets(distance, bidirectional, n_buckets, max_distance)
    return buckets + (n_buckets // 2) * (distance == 0).long() if bidirectional else buckets
