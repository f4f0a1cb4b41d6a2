"""Plausible wrong answers to ex-07-8, merging two pieces of a softmax."""

import torch


def added_as_they_are(first, second):
    """Nothing is rescaled: sums that were measured from different maxima are added."""
    (m1, l1, o1), (m2, l2, o2) = first, second
    return torch.maximum(m1, m2), l1 + l2, o1 + o2


def rescaled_the_wrong_way(first, second):
    """The exponent has the wrong sign, so the smaller piece grows."""
    (m1, l1, o1), (m2, l2, o2) = first, second
    m = torch.maximum(m1, m2)
    f1, f2 = torch.exp(m - m1), torch.exp(m - m2)
    return m, l1 * f1 + l2 * f2, o1 * f1[..., None] + o2 * f2[..., None]


def values_not_rescaled(first, second):
    """The sum is rescaled and the weighted values are forgotten."""
    (m1, l1, o1), (m2, l2, o2) = first, second
    m = torch.maximum(m1, m2)
    return m, l1 * torch.exp(m1 - m) + l2 * torch.exp(m2 - m), o1 + o2


def only_the_first_rescaled(first, second):
    """The later piece is taken to have the larger maximum always."""
    (m1, l1, o1), (m2, l2, o2) = first, second
    factor = torch.exp(m1 - m2)
    return m2, l1 * factor + l2, o1 * factor[..., None] + o2


def averages_of_averages(first, second):
    """Both pieces are normalised first, and weigh the same however much they held."""
    (m1, l1, o1), (m2, l2, o2) = first, second
    mean = (o1 / l1[..., None] + o2 / l2[..., None]) / 2
    return torch.maximum(m1, m2), torch.ones_like(l1), mean


def hidden_pieces_are_nan(first, second):
    """Right for visible keys; two hidden pieces give minus infinity less minus infinity."""
    (m1, l1, o1), (m2, l2, o2) = first, second
    m = torch.maximum(m1, m2)
    f1, f2 = torch.exp(m1 - m), torch.exp(m2 - m)
    return m, l1 * f1 + l2 * f2, o1 * f1[..., None] + o2 * f2[..., None]
