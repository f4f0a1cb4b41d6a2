"""Plausible wrong answers to ex-08-10, GEGLU."""

import math

import torch


def _gelu(x):
    return x / 2 * (1 + torch.erf(x / math.sqrt(2)))


def approximation(gate, up):
    """The approximation with tanh, as in GPT-2, instead of the exact form."""
    inner = math.sqrt(2 / math.pi) * (gate + 0.044715 * gate**3)
    return gate / 2 * (1 + torch.tanh(inner)) * up


def sigmoid_approximation(gate, up):
    """The coarse approximation x * sigmoid(1.702 x)."""
    return gate * torch.sigmoid(1.702 * gate) * up


def roles_swapped(gate, up):
    """GELU is applied to the value instead of the gate."""
    return gate * _gelu(up)


def root_of_two_left_out(gate, up):
    """erf(x) instead of erf(x / sqrt(2))."""
    return gate / 2 * (1 + torch.erf(gate)) * up


def half_left_out(gate, up):
    """The half in front is forgotten."""
    return 2 * _gelu(gate) * up


def gate_left_out(gate, up):
    """The bare GELU of the gate: the value is never used."""
    return _gelu(gate)
