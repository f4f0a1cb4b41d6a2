"""Gradient descent in its plainest form: one tensor, one step size, nothing else.

Leaves out batches, momentum and schedules; ``loop`` has the training loop that models go through.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def gradient_descent(
    loss: Callable[[Tensor], Tensor], weight: Tensor, learning_rate: float, n_steps: int
) -> tuple[Tensor, list[float]]:
    """Go downhill: ``weight <- weight - learning_rate * gradient``, and again.

    Args:
        loss: what is made small, a function of the weight.
        weight: where to begin; it is not changed.
        learning_rate: how far a step goes, for a gradient of length 1.
        n_steps: how often.

    Shapes:
        weight of any shape; returns a tensor of that shape, without a graph, and a number for each
        step: the loss before it.

    Raises:
        ValueError: the learning rate is not positive, or the number of steps is negative.

    Source:
        Cauchy 1847, Comptes rendus 25, 536-538.

    >>> weight, losses = gradient_descent(lambda w: w**2, torch.tensor(4.0), 0.25, n_steps=2)
    >>> weight.item(), losses  # each step halves: the slope of w**2 is 2 w
    (1.0, [16.0, 4.0])
    """
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate: expected a positive number, got {learning_rate}.")
    if n_steps < 0:
        raise ValueError(f"n_steps: expected 0 or more, got {n_steps}.")
    losses = []
    for _ in range(n_steps):
        weight = weight.detach().requires_grad_()
        now = loss(weight)
        (gradient,) = torch.autograd.grad(now, weight)
        losses.append(now.item())
        weight = weight - learning_rate * gradient
    return weight.detach(), losses
