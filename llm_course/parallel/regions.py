"""Where a tensor-parallel region begins and ends: two functions that are each other's gradient.

Outside the region every rank holds the same stream. ``enter`` hands it in, unchanged; backward it
adds up what the ranks found. ``leave`` adds up the ranks' terms; backward it hands the gradient on,
unchanged. In the paper they are f and g.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from llm_course.parallel.collectives import all_reduce
from llm_course.parallel.group import Group


class _Enter(torch.autograd.Function):
    """Forward the identity, backward an all-reduce."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, group: Group, purpose: str) -> Tensor:
        ctx.group, ctx.purpose = group, purpose
        return x.view_as(x)

    @staticmethod
    def backward(ctx: FunctionCtx, slope: Tensor) -> tuple[Tensor, None, None]:
        total = slope.clone(memory_format=torch.contiguous_format)
        return all_reduce(total, ctx.group, f"{ctx.purpose} backward"), None, None


class _Leave(torch.autograd.Function):
    """Forward an all-reduce, backward the identity."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, group: Group, purpose: str) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        return all_reduce(total, group, f"{purpose} forward")

    @staticmethod
    def backward(ctx: FunctionCtx, slope: Tensor) -> tuple[Tensor, None, None]:
        return slope, None, None


def enter(x: Tensor, group: Group, purpose: str = "") -> Tensor:
    """The stream as it is; its gradient is the **sum** of the ranks' gradients.

    Args:
        x: the same on all ranks.
        group: the ranks of the region.
        purpose: what the ledger enters.

    Shapes:
        x any; returns the same.

    Raises:
        RankLost: backward, a rank is not there.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3 (the operator f).

    >>> enter(torch.tensor([2.0]), Group(name="tensor")).tolist()
    [2.0]
    """
    return _Enter.apply(x, group, purpose)


def leave(x: Tensor, group: Group, purpose: str = "") -> Tensor:
    """The **sum** of the ranks' terms; its gradient goes to each of them as it is.

    Args:
        x: this rank's term.
        group: the ranks of the region.
        purpose: what the ledger enters.

    Shapes:
        x any; returns the same.

    Raises:
        RankLost: a rank is not there.

    Source:
        Shoeybi et al. 2019, arXiv:1909.08053, section 3 (the operator g).

    >>> leave(torch.tensor([2.0]), Group(name="tensor")).tolist()
    [2.0]
    """
    return _Leave.apply(x, group, purpose)
