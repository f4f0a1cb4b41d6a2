"""Collectives between real processes, written over send and receive.

The ring's rounds are those of ``simulated_ranks.py``. With ``Group(algorithm="backend")`` the same
calls go to gloo's or NCCL's own collectives. All ranks of a group must make the same calls in the
same order; a rank that is alone has nothing to do.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import torch
import torch.distributed as dist
from torch import Tensor

from llm_course.parallel.group import Group, exchange, finish_send, receive, start_send
from llm_course.parallel.simulated_ranks import broadcast_rounds
from llm_course.shapes import ShapeError

Operation = Literal["sum", "max"]
_COMBINE: dict[str, Callable[..., Tensor]] = {"sum": torch.add, "max": torch.maximum}
_BACKEND = {"sum": dist.ReduceOp.SUM, "max": dist.ReduceOp.MAX}

# Renamed in PyTorch 2.13; the older names still work there, with a warning.
_all_gather_single = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
_reduce_scatter_single = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor


def all_reduce(
    tensor: Tensor, group: Group, purpose: str = "", operation: Operation = "sum"
) -> Tensor:
    """Combine the ranks' tensors, **in place**: every rank ends with the result.

    Args:
        tensor: contiguous; changed.
        group: the ranks.
        purpose: what the ledger enters.
        operation: sum or maximum.

    Shapes:
        tensor any, the same on all ranks; returns it.

    Raises:
        RankLost: a rank is not there.
        ValueError: the tensor is not contiguous.
    """
    if not tensor.is_contiguous():
        raise ValueError("tensor: expected contiguous memory. Fix: .contiguous() before the call.")
    if group.size > 1 and group.algorithm == "backend":
        with group.waiting("an all-reduce with all ranks"):
            dist.all_reduce(tensor, _BACKEND[operation], group=group.handle)
        _enter("all_reduce", group, purpose, tensor, None)
    elif group.size > 1:
        chunks = list(tensor.view(-1).tensor_split(group.size))
        sent = _reduce_rounds(chunks, group, operation)
        sent += _gather_rounds(chunks, group)
        _enter("all_reduce", group, purpose, tensor, sent)
    return tensor


def start_all_reduce(
    tensor: Tensor, group: Group, worker: ThreadPoolExecutor, purpose: str = ""
) -> Callable[[], object]:
    """Begin an all-reduce that goes on while this process computes; call the result to wait.

    The ring's rounds run in ``worker``, which must have one thread, so that the collectives of
    this group keep their order. A backend has its own threads or streams.

    Shapes:
        tensor any, contiguous; changed until the wait has ended.
    """
    if group.size == 1:
        return lambda: None
    if group.algorithm == "ring":
        return worker.submit(all_reduce, tensor, group, purpose).result
    with group.waiting("an all-reduce with all ranks"):
        work = dist.all_reduce(tensor, group=group.handle, async_op=True)
    _enter("all_reduce", group, purpose, tensor, None)

    def wait() -> None:
        with group.waiting("an all-reduce with all ranks"):
            work.wait()

    return wait


def reduce_scatter(tensor: Tensor, group: Group, purpose: str = "") -> Tensor:
    """The sum of the ranks' tensors, of which each rank gets its chunk.

    Args:
        tensor: contiguous; with the ring it is used as scratch and holds no result.
        group: the ranks.
        purpose: what the ledger enters.

    Shapes:
        tensor ``(n k)``, where ``n`` is the group's size; returns ``k``.

    Raises:
        RankLost: a rank is not there.
        ShapeError: the ranks do not divide the tensor.
    """
    if tensor.dim() != 1 or tensor.numel() % group.size:
        raise ShapeError(
            f"tensor: expected one axis of a multiple of {group.size} numbers, got shape "
            f"{tuple(tensor.shape)}. Fix: pad it with zeros."
        )
    chunks = list(tensor.tensor_split(group.size))
    if group.size > 1 and group.algorithm == "backend":
        mine = torch.empty_like(chunks[group.rank])
        with group.waiting("a reduce-scatter with all ranks"):
            _reduce_scatter_single(mine, tensor, group=group.handle)
        _enter("reduce_scatter", group, purpose, tensor, None)
        return mine
    if group.size > 1:
        sent = _reduce_rounds(chunks, group, "sum")
        _enter("reduce_scatter", group, purpose, tensor, sent)
    return chunks[group.rank].clone()


def all_gather(
    chunk: Tensor, group: Group, purpose: str = "", into: Tensor | None = None
) -> Tensor:
    """All ranks' chunks side by side, on every rank.

    Args:
        chunk: what this rank has.
        group: the ranks.
        purpose: what the ledger enters.
        into: where the result is written; a new tensor if not given.

    Shapes:
        chunk ``k``, the same on all ranks; returns ``(n k)``.

    Raises:
        RankLost: a rank is not there.
    """
    whole = chunk.new_empty(group.size * chunk.numel()) if into is None else into
    chunks = list(whole.tensor_split(group.size))
    if group.size > 1 and group.algorithm == "backend":
        with group.waiting("an all-gather with all ranks"):
            _all_gather_single(whole, chunk.contiguous(), group=group.handle)
        _enter("all_gather", group, purpose, whole, None)
        return whole
    chunks[group.rank].copy_(chunk)
    if group.size > 1:
        _enter("all_gather", group, purpose, whole, _gather_rounds(chunks, group))
    return whole


def broadcast(tensor: Tensor, group: Group, source: int = 0, purpose: str = "") -> Tensor:
    """Give all ranks the source's tensor, **in place**, along a binomial tree.

    Shapes:
        tensor any, contiguous, the same shape on all ranks; returns it.

    Raises:
        RankLost: a rank is not there.
    """
    sent = 0
    for pairs in broadcast_rounds(group.size, source):
        for sender, receiver in pairs:
            if group.rank == sender:
                finish_send(start_send(tensor, group, receiver), group, receiver)
                sent += tensor.numel() * tensor.element_size()
            elif group.rank == receiver:
                receive(tensor, group, sender)
    if group.size > 1:
        _enter("broadcast", group, purpose, tensor, sent)
    return tensor


def _reduce_rounds(chunks: list[Tensor], group: Group, operation: Operation) -> int:
    """The first half of the ring, in place: chunk ``rank`` ends complete. Returns bytes sent."""
    n, rank, sent = group.size, group.rank, 0
    buffer = torch.empty_like(chunks[0])  # no chunk is longer than the first
    for step in range(n - 1):
        mine = chunks[(rank - 2 - step) % n]
        incoming = buffer[: mine.numel()]
        sent += exchange(chunks[(rank - 1 - step) % n], incoming, group)
        _COMBINE[operation](mine, incoming, out=mine)
    return sent


def _gather_rounds(chunks: list[Tensor], group: Group) -> int:
    """The second half, in place: all chunks arrive. Returns bytes sent."""
    n, rank = group.size, group.rank
    return sum(
        exchange(chunks[(rank - step) % n], chunks[(rank - 1 - step) % n], group)
        for step in range(n - 1)
    )


def _enter(collective: str, group: Group, purpose: str, tensor: Tensor, sent: int | None) -> None:
    payload = tensor.numel() * tensor.element_size()
    group.ledger.add(collective, group.name, purpose, payload=payload, sent=sent)
