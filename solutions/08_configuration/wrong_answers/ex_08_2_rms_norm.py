"""Plausible wrong answers to ex-08-2, RMSNorm."""

import torch


def centred(x, weight, eps=1e-5):
    """The mean is subtracted first: LayerNorm without a bias."""
    x = x - x.mean(dim=-1, keepdim=True)
    return weight * x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps)


def sum_instead_of_mean(x, weight, eps=1e-5):
    """The vector is divided by its length: the mean over d is forgotten."""
    return weight * x / torch.sqrt(x.square().sum(dim=-1, keepdim=True) + eps)


def root_left_out(x, weight, eps=1e-5):
    """The vector is divided by the mean square instead of its root."""
    return weight * x / (x.square().mean(dim=-1, keepdim=True) + eps)


def over_the_first_axis(x, weight, eps=1e-5):
    """Features are scaled over the tokens, not tokens over their features."""
    return weight * x / torch.sqrt(x.square().mean(dim=0, keepdim=True) + eps)


def mean_of_absolutes(x, weight, eps=1e-5):
    """The mean absolute value takes the place of the root mean square."""
    return weight * x / (x.abs().mean(dim=-1, keepdim=True) + eps)


def eps_left_out(x, weight, eps=1e-5):
    """Nothing keeps the root from zero, so a vector of zeros becomes NaN."""
    return weight * x / torch.sqrt(x.square().mean(dim=-1, keepdim=True))
