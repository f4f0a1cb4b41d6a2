"""Plausible wrong answers to ex-00-1, training a table."""

import torch
import torch.nn.functional as F


def uphill(table, before, after, learning_rate, n_steps):
    """The gradient is added: the loss grows."""
    weight = table
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        now = F.cross_entropy(weight[before], after)
        losses.append(now.item())
        weight = weight + learning_rate * torch.autograd.grad(now, weight)[0]
    return weight.detach(), losses


def gradients_add_up(table, before, after, learning_rate, n_steps):
    """backward() without clearing what is there."""
    weight = table
    weight, losses = weight.clone().requires_grad_(), []
    for _ in range(n_steps):
        now = F.cross_entropy(weight[before], after)
        now.backward()
        losses.append(now.item())
        with torch.no_grad():
            weight -= learning_rate * weight.grad
    return weight.detach(), losses


def losses_after_the_step(table, before, after, learning_rate, n_steps):
    """The loss is noted once the step is done."""
    weight = table
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(weight[before], after), weight)
        weight = weight - learning_rate * slope
        losses.append(F.cross_entropy(weight[before], after).item())
    return weight.detach(), losses


def changes_what_was_handed_in(table, before, after, learning_rate, n_steps):
    """The step is written into the caller's tensor."""
    weight = table
    losses = []
    for _ in range(n_steps):
        held = weight.detach().requires_grad_()
        now = F.cross_entropy(held[before], after)
        losses.append(now.item())
        (slope,) = torch.autograd.grad(now, held)
        weight.data -= learning_rate * slope
    return weight.detach(), losses


def gradient_of_length_one(table, before, after, learning_rate, n_steps):
    """Every step has the same length, whatever the slope."""
    weight = table
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        now = F.cross_entropy(weight[before], after)
        losses.append(now.item())
        (slope,) = torch.autograd.grad(now, weight)
        weight = weight - learning_rate * slope / slope.norm()
    return weight.detach(), losses


def one_step_too_many(table, before, after, learning_rate, n_steps):
    """The loop runs once more than it was asked to."""
    weight = table
    losses = []
    for _ in range(n_steps + 1):
        weight = weight.detach().requires_grad_()
        now = F.cross_entropy(weight[before], after)
        losses.append(now.item())
        weight = weight - learning_rate * torch.autograd.grad(now, weight)[0]
    return weight.detach(), losses[:n_steps]


def graph_kept(table, before, after, learning_rate, n_steps):
    """The result still asks for gradients."""
    weight = table
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        now = F.cross_entropy(weight[before], after)
        losses.append(now.item())
        weight = weight - learning_rate * torch.autograd.grad(now, weight)[0]
    return weight.requires_grad_() if weight.is_leaf else weight, losses
