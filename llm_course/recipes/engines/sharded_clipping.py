"""Gradient clipping where each process has a part of the gradient."""

from collections.abc import Collection, Iterable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor

from llm_course.training.clipping import check_max_norm, scale_gradients


@torch.no_grad()
def clip_sharded(
    weights: Iterable[Tensor],
    max_norm: float | None,
    device: torch.device,
    counted_elsewhere: Collection[Tensor] = (),
) -> Tensor:
    """Clip the gradient of all processes by its norm ``sqrt(Σ_ranks Σ_i g_i²)``, in place.

    A part that is divided counts on each process, a copy on the first alone; the squares are added
    up in fp64.

    Args:
        weights: of this process; those without a gradient are passed over.
        max_norm: the length that is allowed; None clips nothing.
        device: where the processes add up.
        counted_elsewhere: weights of this process whose gradient another one counts.

    Shapes:
        returns a scalar, the same on every process.

    Raises:
        ValueError: the norm that is allowed is not positive.
    """
    check_max_norm(max_norm)
    skipped = {id(weight) for weight in counted_elsewhere}
    gradients, total = [], torch.zeros((), dtype=torch.float64, device=device)
    for weight in (weight for weight in weights if weight.grad is not None):
        gradient, is_copy = weight.grad, False
        if isinstance(gradient, DTensor):
            is_copy = all(place.is_replicate() for place in gradient.placements)
            gradient = gradient.to_local()
        gradients.append(gradient)
        if id(weight) not in skipped and not (is_copy and dist.get_rank() > 0):
            total += gradient.double().square().sum()
    dist.all_reduce(total)
    norm = total.sqrt()
    if max_norm is not None:
        scale_gradients(gradients, norm, max_norm)
    return norm
