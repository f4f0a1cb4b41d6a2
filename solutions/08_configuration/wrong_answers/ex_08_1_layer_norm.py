"""Plausible wrong answers to ex-08-1, LayerNorm."""

import torch


def unbiased_variance(x, weight, bias, eps=1e-5):
    """The variance divides by d - 1, as Tensor.var does unless told otherwise."""
    variance = x.var(dim=-1, keepdim=True) if x.shape[-1] > 1 else torch.zeros_like(x)
    return weight * (x - x.mean(dim=-1, keepdim=True)) / torch.sqrt(variance + eps) + bias


def not_centred(x, weight, bias, eps=1e-5):
    """The mean is not subtracted: RMSNorm with a bias."""
    return weight * x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps) + bias


def root_left_out(x, weight, bias, eps=1e-5):
    """The vector is divided by the variance instead of its root."""
    centred = x - x.mean(dim=-1, keepdim=True)
    return weight * centred / (centred.square().mean(dim=-1, keepdim=True) + eps) + bias


def over_the_first_axis(x, weight, bias, eps=1e-5):
    """Features are normalised over the tokens, not tokens over their features."""
    centred = x - x.mean(dim=0, keepdim=True)
    return weight * centred / torch.sqrt(centred.square().mean(dim=0, keepdim=True) + eps) + bias


def eps_outside_the_root(x, weight, bias, eps=1e-5):
    """eps is added to the deviation instead of the variance."""
    centred = x - x.mean(dim=-1, keepdim=True)
    return weight * centred / (centred.square().mean(dim=-1, keepdim=True).sqrt() + eps) + bias


def bias_before_weight(x, weight, bias, eps=1e-5):
    """The shift is stretched as well: weight * (normalised + bias)."""
    centred = x - x.mean(dim=-1, keepdim=True)
    deviation = torch.sqrt(centred.square().mean(dim=-1, keepdim=True) + eps)
    return weight * (centred / deviation + bias)
