"""A group of ranks, and the two things that all else is made of: send and receive.

Everything that waits for another rank waits here, so that a rank which has died or is late gives
one clear error on each rank that needed it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import torch.distributed as dist
from torch import Tensor

from llm_course.errors import CourseError
from llm_course.parallel.ledger import Ledger

Algorithm = Literal["ring", "backend"]


class RankLost(CourseError):
    """Another rank did not answer: it has died, or it is too slow."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The ranks along one axis of a mesh, as one of them sees it.

    Args:
        name: of the axis: ``data``, ``tensor`` or ``pipeline``.
        rank: which of them this process is, from 0.
        size: how many there are.
        handle: PyTorch's process group; None for a rank that is alone.
        ledger: where what is sent gets counted.
        algorithm: ``ring``, the course's collectives over send and receive, which the ledger can
            count, or ``backend``, those of gloo or NCCL, which are faster.

    >>> Group(name="data").size
    1
    """

    name: str
    rank: int = 0
    size: int = 1
    handle: dist.ProcessGroup | None = None
    ledger: Ledger = field(default_factory=Ledger)
    algorithm: Algorithm = "ring"

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.size:
            raise ValueError(f"rank: expected 0 to size - 1 = {self.size - 1}, got {self.rank}.")
        if self.size > 1 and self.handle is None:
            raise ValueError(f"handle: expected a process group for {self.size} ranks, got None.")
        if self.algorithm not in ("ring", "backend"):
            raise ValueError(f"algorithm: expected ring or backend, got {self.algorithm!r}.")

    @property
    def next(self) -> int:
        """The rank after this one, around the ring."""
        return (self.rank + 1) % self.size

    @property
    def before(self) -> int:
        """The rank before this one, around the ring."""
        return (self.rank - 1) % self.size

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Turn a backend's error into one that names the rank, the group and what it waited for.

        Raises:
            RankLost: the block raised a ``RuntimeError``.
        """
        try:
            yield
        except RuntimeError as error:
            # A backend puts its source file before the reason, and advice after it.
            reason = str(error).splitlines()[0].split("] ", 1)[-1].split(". ")[0].rstrip(".")
            raise RankLost(
                f"rank {self.rank} of {self.size} ({self.name}): expected {what}, got: {reason}. "
                "Fix: look at the rank that failed first; if it is only slow, raise the timeout."
            ) from error


def start_send(tensor: Tensor, group: Group, to: int, tag: int = 0) -> dist.Work:
    """Begin to send; the tensor must stay as it is until ``finish_send``.

    Shapes:
        tensor any.
    """
    with group.waiting(f"to send to rank {to}"):
        return dist.isend(tensor.contiguous(), group=group.handle, group_dst=to, tag=tag)


def finish_send(work: dist.Work, group: Group, to: int) -> None:
    """Wait until what was sent may be changed.

    Raises:
        RankLost: the other rank is not there.
    """
    with group.waiting(f"rank {to} to take what was sent"):
        work.wait()


def receive(into: Tensor, group: Group, source: int, tag: int = 0) -> Tensor:
    """Receive into a contiguous tensor, and return it.

    Shapes:
        into any; returns the same tensor.

    Raises:
        RankLost: the other rank is not there.
    """
    with group.waiting(f"something from rank {source}"):
        dist.recv(into, group=group.handle, group_src=source, tag=tag)
    return into


def exchange(outgoing: Tensor, into: Tensor, group: Group) -> int:
    """One round of a ring: send to the next rank, receive from the one before.

    An empty tensor is not sent; both sides know its size.

    Returns:
        Bytes that were sent.

    Raises:
        RankLost: a neighbour is not there.
    """
    handle, operations = group.handle, []
    if outgoing.numel():
        operations.append(dist.P2POp(dist.isend, outgoing, group=handle, group_peer=group.next))
    if into.numel():
        operations.append(dist.P2POp(dist.irecv, into, group=handle, group_peer=group.before))
    # Begun together: NCCL's send waits for its receiver, who is sending as well.
    with group.waiting(f"a round with ranks {group.before} and {group.next}"):
        for work in dist.batch_isend_irecv(operations) if operations else []:
            work.wait()
    return outgoing.numel() * outgoing.element_size()
