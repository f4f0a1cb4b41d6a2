"""Gradients that are written by hand have no gradients of their own: they say so when asked."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import torch

T = TypeVar("T")


def first_derivative_only(backward: Callable[..., T]) -> Callable[..., T]:
    """Let the backward pass of an autograd function refuse ``create_graph=True``.

    PyTorch's ``once_differentiable`` lets it pass where the incoming gradient is a constant, and
    a penalty on the gradient would then vanish from the sum of losses without a word.

    Raises:
        RuntimeError: a graph of the gradient is asked for.

    >>> class Twice(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     @first_derivative_only
    ...     def backward(ctx, slope):
    ...         return 2 * slope
    >>> x = torch.ones(1, requires_grad=True)
    >>> torch.autograd.grad(Twice.apply(x), x)
    (tensor([2.]),)
    >>> torch.autograd.grad(Twice.apply(x), x, create_graph=True)
    Traceback (most recent call last):
    ...
    RuntimeError: create_graph: expected False, got True: this gradient is written by hand and has \
none of its own. Fix: use a version that autograd differentiates.
    """

    @wraps(backward)
    def checked(ctx: Any, *slopes: torch.Tensor) -> T:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "create_graph: expected False, got True: this gradient is written by hand and has "
                "none of its own. Fix: use a version that autograd differentiates."
            )
        return backward(ctx, *slopes)

    return checked
