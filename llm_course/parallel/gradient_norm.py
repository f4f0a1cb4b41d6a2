"""The length of a gradient that no rank has whole, and clipping by it."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from llm_course.parallel.collectives import all_reduce
from llm_course.parallel.group import Group


def gradient_norm(
    gradients: Sequence[tuple[str, Tensor]],
    counts: Callable[[str], bool],
    groups: Sequence[Group],
    like: Tensor,
) -> Tensor:
    """``sqrt(sum g²)`` over all ranks, each number of the whole gradient counted once.

    Args:
        gradients: what this rank has, by name.
        counts: whether a name counts here, or is counted by another rank that has it too.
        groups: the axes along which ranks have different gradients.
        like: a tensor whose device and dtype (fp32 at least) the sum is computed in.

    Shapes:
        gradients any; returns a scalar, the same on all ranks.

    Raises:
        RankLost: a rank is not there.

    >>> gradients = [("a", torch.tensor([3.0])), ("b", torch.tensor([4.0])), ("c", torch.ones(9))]
    >>> gradient_norm(gradients, lambda name: name != "c", [], torch.zeros(1)).item()
    5.0
    """
    dtype = torch.promote_types(like.dtype, torch.float32)
    total = torch.zeros(1, dtype=dtype, device=like.device)
    for name, gradient in gradients:
        if counts(name):
            total += gradient.to(dtype).square().sum()
    for group in groups:
        all_reduce(total, group, "gradient norm")
    return total.sqrt().squeeze(0)


def clip(parameters: Sequence[nn.Parameter], norm: Tensor, limit: float | None) -> None:
    """Scale the gradients by ``limit / norm`` where the norm is larger, as PyTorch does.

    Shapes:
        norm a scalar.

    >>> weight = nn.Parameter(torch.zeros(1))
    >>> weight.grad = torch.tensor([10.0])
    >>> clip([weight], torch.tensor(10.0), limit=1.0)
    >>> round(weight.grad.item(), 4)
    1.0
    """
    nn.utils.clip_grads_with_norm_(parameters, math.inf if limit is None else limit, norm)
