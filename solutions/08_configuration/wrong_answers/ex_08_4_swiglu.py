"""Plausible wrong answers to ex-08-4, SwiGLU."""

import torch


def _swish(x):
    return x * torch.sigmoid(x)


def roles_swapped(gate, up):
    """Swish is applied to the value instead of the gate."""
    return gate * _swish(up)


def sigmoid_only(gate, up):
    """The first GLU: the gate is a sigmoid, not Swish."""
    return torch.sigmoid(gate) * up


def kronecker(gate, up):
    """The Kronecker product that the slide prints."""
    return torch.kron(_swish(gate), up)


def added(gate, up):
    """The two halves are added instead of multiplied."""
    return _swish(gate) + up


def relu_gate(gate, up):
    """The gate cuts like ReLU instead of Swish."""
    return gate.clamp(min=0) * up


def both_bent(gate, up):
    """Swish is applied to the product of both."""
    return _swish(gate * up)
