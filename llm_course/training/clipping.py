"""Gradient clipping: a gradient that is too long is shortened, and keeps its direction."""

from collections.abc import Iterable

import torch
from torch import Tensor


def gradient_norm(gradients: Iterable[Tensor]) -> Tensor:
    """The length of all gradients, taken as one long vector: ``sqrt(Σ_i g_i²)``.

    It is computed as the norm of the norms, which is the same.

    Shapes:
        gradients of any shape; returns a scalar, 0 if there are none.

    >>> gradient_norm([torch.tensor([3.0]), torch.tensor([[0.0], [4.0]])]).item()
    5.0
    """
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
    if not norms:
        return torch.zeros(())
    return torch.linalg.vector_norm(torch.stack([norm.to(norms[0].device) for norm in norms]))


@torch.no_grad()
def scale_gradients(gradients: Iterable[Tensor], norm: Tensor, max_norm: float) -> None:
    """Multiply gradients in place by ``min(1, max_norm / (norm + 1e-6))``.

    Args:
        gradients: what is shortened.
        norm: the length of the whole gradient, of which these may be a part.
        max_norm: the length that is allowed.

    Source:
        Pascanu et al. 2013, arXiv:1211.5063, algorithm 1.
    """
    factor = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor.to(gradient.device))


def clip_gradients(weights: Iterable[Tensor], max_norm: float | None) -> Tensor:
    """Clip the gradients of weights to a norm, in place, and return their norm before that.

    Args:
        weights: those without a gradient are passed over.
        max_norm: the length that is allowed; None clips nothing.

    Shapes:
        returns a scalar.

    Raises:
        ValueError: the norm that is allowed is not positive.

    >>> weight = torch.zeros(2)
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> clip_gradients([weight], max_norm=1.0).item(), weight.grad.round(decimals=4).tolist()
    (5.0, [0.6000000238418579, 0.800000011920929])
    """
    check_max_norm(max_norm)
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    norm = gradient_norm(gradients)
    if max_norm is not None:
        scale_gradients(gradients, norm, max_norm)
    return norm


def check_max_norm(max_norm: float | None) -> None:
    """Refuse a norm that no gradient could be clipped to.

    Raises:
        ValueError: it is not positive.
    """
    if max_norm is not None and not max_norm > 0:
        raise ValueError(f"max_norm: expected a positive number or None, got {max_norm}.")
