"""Plausible wrong answers to ex-08-7, ALiBi's slopes."""

import torch


def _check(n_heads):
    if n_heads < 1:
        raise ValueError("n_heads: expected 1 or more.")


def from_zero(n_heads):
    """The heads are counted from 0: the first slope is 1."""
    _check(n_heads)
    return 2.0 ** (-8 * torch.arange(n_heads) / n_heads)


def halves(n_heads):
    """Each slope is half of the one before, whatever the number of heads."""
    _check(n_heads)
    return 2.0 ** -torch.arange(1, n_heads + 1).float()


def linear(n_heads):
    """The slopes fall in equal steps instead of by equal factors."""
    _check(n_heads)
    return 1 - torch.arange(1, n_heads + 1) / (n_heads + 1)


def flattest_first(n_heads):
    """The order is turned round."""
    _check(n_heads)
    return 2.0 ** (-8 * torch.arange(n_heads, 0, -1) / n_heads)


def natural_base(n_heads):
    """e is raised to the powers instead of 2."""
    _check(n_heads)
    return torch.exp(-8 * torch.arange(1, n_heads + 1) / n_heads)


def no_heads_no_error(n_heads):
    """Right, but a number of heads below 1 gives an empty answer instead of an error."""
    return 2.0 ** (-8 * torch.arange(1, max(n_heads, 0) + 1) / max(n_heads, 1))
