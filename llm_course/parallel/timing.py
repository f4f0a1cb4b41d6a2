"""How long messages and pipelines take between real processes.

Every function is called on every rank, by ``RankPool.run``. Times are for looking at, and for
ratios within one run. A pipeline is timed with **waits** in place of computing, because processes
that compute would share the cores of this machine; messages and order are real.
"""

import time
from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx

from llm_course.parallel.collectives import all_reduce
from llm_course.parallel.logical_clock import Slot
from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.pipeline_run import run_schedule
from llm_course.parallel.schedules import SCHEDULES


class _Wait(torch.autograd.Function):
    """The stream as it is, after some time; and the same for its gradient."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, forward: float, backward: float) -> Tensor:
        ctx.backward_seconds = backward
        time.sleep(forward)
        return x.clone()

    @staticmethod
    def backward(ctx: FunctionCtx, slope: Tensor) -> tuple[Tensor, None, None]:
        time.sleep(ctx.backward_seconds)
        return slope, None, None


def time_schedule(
    schedule: str, n_microbatches: int, forward: float, backward: float, repeats: int = 1
) -> list[list[Slot]]:
    """This stage's actions in each repeat; all ranks are the stages of one pipeline.

    Args:
        schedule: ``naive``, ``gpipe`` or ``1f1b``.
        n_microbatches: into how many a batch is cut.
        forward: seconds that a stage waits in place of the forward pass of one micro-batch.
        backward: seconds in place of a backward pass.
        repeats: how often.

    Raises:
        RankLost: a neighbour is not there.

    >>> slots = time_schedule("gpipe", 2, forward=0.0, backward=0.0)[0]  # one stage, no ranks
    >>> [(slot.kind, slot.microbatch) for slot in slots]
    [('F', 0), ('F', 1), ('B', 0), ('B', 1)]
    """
    n_stages = dist.get_world_size() if dist.is_initialized() else 1
    group = make_mesh(pipeline=n_stages).pipeline
    actions = SCHEDULES[schedule](group.rank, n_stages, n_microbatches)
    stream = torch.zeros(1, 1, 8)

    def work(i: int, x: Tensor | None) -> Tensor:
        x = torch.zeros(1, 1, 8, requires_grad=True) if x is None else x
        y = _Wait.apply(x, forward, backward)
        return y.sum() if group.rank == n_stages - 1 else y

    runs = []
    for _ in range(repeats):
        if n_stages > 1:
            all_reduce(torch.zeros(1), group, "ready")  # all begin together
        runs.append(run_schedule(actions, group, work, stream).slots)
    return runs


def time_pieces(n_numbers: int, pieces: Sequence[int], repeats: int = 3) -> list[list[float]]:
    """Seconds to all-reduce so many numbers in one piece, in two, ...; all in turn.

    Args:
        n_numbers: of fp32.
        pieces: into how many messages they are cut.
        repeats: how often; a first round is not counted.

    Returns:
        For each number of pieces the seconds of each repeat.

    Raises:
        RankLost: a rank is not there.

    >>> [len(seconds) for seconds in time_pieces(8, [1, 2], repeats=3)]
    [3, 3]
    """
    n_ranks = dist.get_world_size() if dist.is_initialized() else 1
    group = make_mesh(data=n_ranks).data
    numbers = torch.ones(n_numbers)
    taken: list[list[float]] = [[] for _ in pieces]
    for _ in range(repeats + 1):
        for times, n in zip(taken, pieces, strict=True):
            all_reduce(torch.zeros(1), group, "ready")
            start = time.perf_counter()
            for piece in numbers.tensor_split(n):
                all_reduce(piece, group, "piece")
            times.append(time.perf_counter() - start)
    return [times[1:] for times in taken]
