"""A pipeline at work: one stage follows its schedule, receives, computes, sends, and takes notes.

Sending never waits: a stage that has computed goes on with its next action while its message is on
the way. So stages wait for each other only where the schedule's order makes them. That holds for
gloo; NCCL's messages between two ranks keep one order for both directions, and PyTorch's own
``torch.distributed.pipelining`` is the way to several GPUs.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor

from llm_course.parallel.group import Group, finish_send, receive, start_send
from llm_course.parallel.logical_clock import Slot
from llm_course.parallel.schedules import Action


@dataclass
class PipelineRun:
    """What one stage did in one step.

    Args:
        losses: of each micro-batch, by its number; on the last stage only.
        slots: when each action ran, in seconds of a clock that all processes of a machine share.
        most_in_flight: the most micro-batches whose activations it kept.
    """

    losses: dict[int, Tensor] = field(default_factory=dict)
    slots: list[Slot] = field(default_factory=list)
    most_in_flight: int = 0


def run_schedule(
    actions: Sequence[Action],
    group: Group,
    forward: Callable[[int, Tensor | None], Tensor],
    stream: Tensor,
    around_backward: Callable[[int], AbstractContextManager[None]] = lambda i: nullcontext(),
) -> PipelineRun:
    """Run the actions of this stage, forward and backward; gradients add up in ``.grad``.

    Args:
        actions: this stage's order, each micro-batch once forward and once backward.
        group: the stages.
        forward: computes micro-batch ``i`` from the stream before (None on the first stage): the
            stream after this stage, or on the last stage the loss.
        stream: an empty tensor of the shape of one micro-batch's stream.
        around_backward: opened around the backward pass of micro-batch ``i``.

    Shapes:
        stream ``b t d``.

    Raises:
        RankLost: a neighbour is not there.
    """
    run, kept, sent = PipelineRun(), {}, []
    last = group.rank == group.size - 1
    for kind, i in actions:
        if kind == "F":
            x = _receive_stream(stream, group, i)
            start = time.perf_counter()
            y = forward(i, x)
            end = time.perf_counter()
            kept[i] = x, y
            run.most_in_flight = max(run.most_in_flight, len(kept))
            if last:
                run.losses[i] = y.detach()
            else:
                sent.append(_send(y.detach(), group, group.rank + 1, i, "forward"))
        else:
            x, y = kept.pop(i)
            slope = None if last else receive(torch.empty_like(y), group, group.rank + 1, i)
            start = time.perf_counter()
            with around_backward(i):
                y.backward(slope)
            end = time.perf_counter()
            if x is not None:
                sent.append(_send(x.grad, group, group.rank - 1, i, "backward"))
        run.slots.append(Slot(stage=group.rank, kind=kind, microbatch=i, start=start, end=end))
    for work, to, _ in sent:
        finish_send(work, group, to)
    return run


def _receive_stream(stream: Tensor, group: Group, tag: int) -> Tensor | None:
    """The stream from the stage before, as a leaf that will have a gradient."""
    if group.rank == 0:
        return None
    return receive(torch.empty_like(stream), group, group.rank - 1, tag).requires_grad_()


def _send(
    tensor: Tensor, group: Group, to: int, tag: int, purpose: str
) -> tuple[dist.Work, int, Tensor]:
    """Begin to send and enter it; the tensor is kept, because its memory is read until the end."""
    tensor = tensor.contiguous()
    n_bytes = tensor.numel() * tensor.element_size()
    group.ledger.add("send", group.name, purpose, payload=n_bytes, sent=n_bytes)
    return start_send(tensor, group, to, tag), to, tensor
