"""Plausible wrong answers to ex-07-7, the sparse mask."""

import torch


def _back(length):
    position = torch.arange(length)
    return position[:, None] - position[None, :]


def window_without_the_query(length, window, stride):
    """The query is not counted, so the window holds one token too many."""
    back = _back(length)
    return (back >= 0) & ((back <= window) | (back % stride == 0))


def sees_ahead(length, window, stride):
    """The strides run in both directions: a multiple of the stride ahead is visible too."""
    back = _back(length)
    return ((back >= 0) & (back < window)) | (back % stride == 0)


def columns_instead_of_distances(length, window, stride):
    """Key numbers that the stride divides are visible, not distances that it divides."""
    back, key = _back(length), torch.arange(length)[None, :]
    return (back >= 0) & ((back < window) | (key % stride == 0))


def both_at_once(length, window, stride):
    """A key must be in the window *and* on a stride."""
    back = _back(length)
    return (back >= 0) & (back < window) & (back % stride == 0)


def upside_down(length, window, stride):
    """True is taken to mean hidden."""
    back = _back(length)
    return ~((back >= 0) & ((back < window) | (back % stride == 0)))


def keys_down_the_side(length, window, stride):
    """Rows and columns are swapped."""
    back = _back(length).T
    return (back >= 0) & ((back < window) | (back % stride == 0))
