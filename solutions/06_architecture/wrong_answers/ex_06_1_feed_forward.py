"""Plausible wrong answers to ex-06-1, the feed-forward layer."""

import torch


def relu_last(x, w_1, b_1, w_2, b_2):
    """The ReLU comes after the second matrix, so that the layer can only add."""
    return torch.relu((x @ w_1 + b_1) @ w_2 + b_2)


def no_activation(x, w_1, b_1, w_2, b_2):
    """Without the ReLU the two matrices are one, and the wide layer is for nothing."""
    return (x @ w_1 + b_1) @ w_2 + b_2


def bias_after_relu(x, w_1, b_1, w_2, b_2):
    """The first bias is added after the ReLU, where it can no longer open or close it."""
    return (torch.relu(x @ w_1) + b_1) @ w_2 + b_2


def second_bias_forgotten(x, w_1, b_1, w_2, b_2):
    """The second bias is accepted and never used."""
    return torch.relu(x @ w_1 + b_1) @ w_2


def absolute_value(x, w_1, b_1, w_2, b_2):
    """Negative values are made positive, where they should become 0."""
    return (x @ w_1 + b_1).abs() @ w_2 + b_2


def gelu(x, w_1, b_1, w_2, b_2):
    """The activation of later models: smooth, and not 0 for what is a little negative."""
    return torch.nn.functional.gelu(x @ w_1 + b_1) @ w_2 + b_2


def residual_added(x, w_1, b_1, w_2, b_2):
    """The input is added here already; that is the business of the layer around it."""
    return x + torch.relu(x @ w_1 + b_1) @ w_2 + b_2


def matrices_transposed(x, w_1, b_1, w_2, b_2):
    """The matrices are taken as nn.Linear keeps them, output axis first."""
    return torch.relu(x @ w_1.T + b_1) @ w_2.T + b_2


def tokens_mixed(x, w_1, b_1, w_2, b_2):
    """The hidden values are averaged over the tokens: the layer is no longer position-wise."""
    hidden = torch.relu(x @ w_1 + b_1)
    if x.dim() > 2:
        hidden = hidden.mean(dim=-2, keepdim=True).expand(hidden.shape)
    return hidden @ w_2 + b_2
