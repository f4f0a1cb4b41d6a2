"""Plausible wrong answers to ex-08-5, sinusoidal positions."""

import torch
from einops import rearrange


def _angles(positions, d_model, base):
    exponents = torch.arange(0, d_model, 2).double() / d_model
    return positions[:, None] * base**-exponents


def sines_then_cosines(positions, d_model, base=10_000.0):
    """All sines come first, then all cosines, instead of side by side."""
    angles = _angles(positions, d_model, base)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).float()


def cosine_first(positions, d_model, base=10_000.0):
    """Sine and cosine have changed places."""
    angles = _angles(positions, d_model, base)
    return rearrange(torch.stack([angles.cos(), angles.sin()], dim=-1), "t d two -> t (d two)")


def every_feature_its_own_speed(positions, d_model, base=10_000.0):
    """The exponent counts features, not pairs: sine and cosine turn at different speeds."""
    feature = torch.arange(d_model)
    angles = positions[:, None] * base ** -(feature.double() / d_model)
    return torch.where(feature % 2 == 0, angles.sin(), angles.cos()).float()


def speeds_grow(positions, d_model, base=10_000.0):
    """The sign of the exponent is lost: later pairs turn faster."""
    exponents = torch.arange(0, d_model, 2).double() / d_model
    angles = positions[:, None] * base**exponents
    return rearrange(torch.stack([angles.sin(), angles.cos()], dim=-1), "t d two -> t (d two)")


def base_fixed(positions, d_model, base=10_000.0):
    """The base is 10,000, whatever was asked for."""
    angles = _angles(positions, d_model, 10_000.0)
    return rearrange(torch.stack([angles.sin(), angles.cos()], dim=-1), "t d two -> t (d two)")
