"""Gradient descent in its plainest form: one tensor, one step size, nothing else.

Leaves out batches, momentum and schedules; ``loop`` has the training loop that models go through.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from llm_course.training.loss import cross_entropy


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


def train_table(
    table: Tensor, before: Tensor, after: Tensor, learning_rate: float, n_steps: int
) -> tuple[Tensor, list[float]]:
    """Learn which token follows which: descent of the cross-entropy of a table of logits.

    Args:
        table: logits to begin with, a row for the token before; not changed.
        before: a token of each pair.
        after: the one that followed.
        learning_rate: how far a step goes.
        n_steps: how often.

    Shapes:
        table ``v v``; before and after ``n``; returns the table after the last step, and the loss
        before each.

    Raises:
        ValueError: as ``gradient_descent``.

    >>> pairs = torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0])
    >>> table, losses = train_table(torch.zeros(2, 2), *pairs, learning_rate=1.0, n_steps=1)
    >>> table  # half of each row's share of the pairs: slopes are softmax less what came
    tensor([[-0.3333,  0.3333],
            [ 0.1667, -0.1667]])
    >>> round(losses[0], 4)
    0.6931
    """
    return gradient_descent(
        lambda weight: cross_entropy(weight[before], after), table, learning_rate, n_steps
    )
