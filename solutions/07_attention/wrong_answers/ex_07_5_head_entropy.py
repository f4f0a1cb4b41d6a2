"""Plausible wrong answers to ex-07-5, the entropy of a head."""

import math

import torch


def in_nats(weights):
    """The natural logarithm gives nats, not bits."""
    return torch.special.entr(weights).sum(dim=-1).mean(dim=-1)


def zero_weight_gives_nan(weights):
    """0 times the logarithm of 0 is NaN, and every causal head has weights of 0."""
    return -(weights * weights.log2()).sum(dim=-1).mean(dim=-1)


def summed_over_queries(weights):
    """The rows are summed instead of averaged, so a longer sentence looks less certain."""
    return (torch.special.entr(weights) / math.log(2)).sum(dim=(-2, -1))


def mean_over_keys(weights):
    """The terms are averaged over the keys, where an entropy is their sum."""
    return (torch.special.entr(weights) / math.log(2)).mean(dim=-1).mean(dim=-1)


def of_the_mean_row(weights):
    """The rows are averaged first: the entropy of a mean is not the mean of the entropies."""
    return (torch.special.entr(weights.mean(dim=-2)) / math.log(2)).sum(dim=-1)


def sign_lost(weights):
    """The minus sign is missing, so the surest head has the largest value."""
    return -(torch.special.entr(weights) / math.log(2)).sum(dim=-1).mean(dim=-1)


def as_a_share_of_the_maximum(weights):
    """Divided by the entropy of an even row, which is a share and no longer bits."""
    bits = (torch.special.entr(weights) / math.log(2)).sum(dim=-1).mean(dim=-1)
    return bits / math.log2(weights.shape[-1])
