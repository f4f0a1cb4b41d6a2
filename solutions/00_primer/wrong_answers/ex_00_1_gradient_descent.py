"""Plausible wrong answers to ex-00-1, gradient descent."""

import torch


def uphill(loss, weight, learning_rate, n_steps):
    """The gradient is added: the loss grows."""
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        now = loss(weight)
        losses.append(now.item())
        weight = weight + learning_rate * torch.autograd.grad(now, weight)[0]
    return weight.detach(), losses


def gradients_add_up(loss, weight, learning_rate, n_steps):
    """backward() without clearing what is there."""
    weight, losses = weight.clone().requires_grad_(), []
    for _ in range(n_steps):
        now = loss(weight)
        now.backward()
        losses.append(now.item())
        with torch.no_grad():
            weight -= learning_rate * weight.grad
    return weight.detach(), losses


def losses_after_the_step(loss, weight, learning_rate, n_steps):
    """The loss is noted once the step is done."""
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        (slope,) = torch.autograd.grad(loss(weight), weight)
        weight = weight - learning_rate * slope
        losses.append(loss(weight).item())
    return weight.detach(), losses


def changes_what_was_handed_in(loss, weight, learning_rate, n_steps):
    """The step is written into the caller's tensor."""
    losses = []
    for _ in range(n_steps):
        held = weight.detach().requires_grad_()
        now = loss(held)
        losses.append(now.item())
        (slope,) = torch.autograd.grad(now, held)
        weight.data -= learning_rate * slope
    return weight.detach(), losses


def gradient_of_length_one(loss, weight, learning_rate, n_steps):
    """Every step has the same length, whatever the slope."""
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        now = loss(weight)
        losses.append(now.item())
        (slope,) = torch.autograd.grad(now, weight)
        weight = weight - learning_rate * slope / slope.norm()
    return weight.detach(), losses


def one_step_too_many(loss, weight, learning_rate, n_steps):
    """The loop runs once more than it was asked to."""
    losses = []
    for _ in range(n_steps + 1):
        weight = weight.detach().requires_grad_()
        now = loss(weight)
        losses.append(now.item())
        weight = weight - learning_rate * torch.autograd.grad(now, weight)[0]
    return weight.detach(), losses[:n_steps]


def graph_kept(loss, weight, learning_rate, n_steps):
    """The result still asks for gradients."""
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        now = loss(weight)
        losses.append(now.item())
        weight = weight - learning_rate * torch.autograd.grad(now, weight)[0]
    return weight.requires_grad_() if weight.is_leaf else weight, losses
