"""What one rank's process does: join the others, then call what it is told to until it is done.

A rank that fails says why and ends at once: its sockets close, and the ranks that wait for it
learn of it without waiting for their time-out.
"""

import os
import sys
import traceback
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from llm_course.errors import CourseError
from llm_course.executors import end_with_parent

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


def serve_rank(
    rank: int,
    n_ranks: int,
    store: str,
    backend: str,
    timeout: float,
    threads: int,
    pipe: Connection,
) -> None:
    """The life of a rank, from joining to the end of its pipe.

    Args:
        rank: which one it is.
        n_ranks: how many there are.
        store: the file through which they find each other.
        backend: ``gloo`` or ``nccl``.
        timeout: seconds that a collective may wait for another rank.
        threads: threads of each process for computing.
        pipe: what brings the calls and takes the answers.
    """
    end_with_parent()
    torch.set_num_threads(threads)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)  # all ranks are on this machine
    _answer(pipe, _join, rank, n_ranks, store, backend, timeout)
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            os._exit(0)  # the pool is closed: no need to take leave of the other ranks
        _answer(pipe, function, *arguments)


def as_plain(value: Any) -> Any:
    """A result that crosses to another process as data: tensors become arrays.

    >>> as_plain({"loss": torch.tensor([1.0])})["loss"].tolist()
    [1.0]
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, dict):
        return {key: as_plain(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(as_plain(part) for part in value)
    return value


def _join(rank: int, n_ranks: int, store: str, backend: str, timeout: float) -> None:
    if backend == "nccl":
        torch.cuda.set_device(rank)
    dist.init_process_group(
        backend,
        init_method=f"file://{store}",
        rank=rank,
        world_size=n_ranks,
        timeout=timedelta(seconds=timeout),
    )


def _answer(pipe: Connection, function: Any, *arguments: Any) -> None:
    """Send the function's result, or its error and then end."""
    try:
        result = as_plain(function(*arguments))
        pipe.send(("result", result, ""))
    except BaseException as error:
        text = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
        pipe.send(("error", (type(error).__name__, text), traceback.format_exc()))
        os._exit(1)
