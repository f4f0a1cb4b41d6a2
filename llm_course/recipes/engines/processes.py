"""The processes of one run: how they find each other, and what they say when one is lost.

``torchrun`` starts them and says in the environment who each of them is. On a CPU they talk through
gloo, on GPUs through NCCL; numbers and names that lie on the CPU always take gloo.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed.checkpoint import CheckpointException

from llm_course.errors import CourseError

HOW_TO_START = (
    "torchrun --nproc_per_node=2 -m llm_course.recipes.train --config CONFIG --strategy STRATEGY"
)
_SIGNS = ("gloo", "NCCL", "Connection", "Timed out", "timed out", "Broken pipe", "TCPStore")


class ProcessLost(CourseError):
    """Another process did not answer: it has died, or it is too slow."""


def join(device: str, timeout: float) -> torch.device:
    """Join the processes that ``torchrun`` started, unless that is done; this process' device.

    Args:
        device: ``cpu`` or ``cuda``; a GPU is chosen by the place on its machine.
        timeout: seconds that a process waits for the others.

    Raises:
        CourseError: it was not started by ``torchrun``, or there is no GPU for it.
        ProcessLost: the others did not come.
    """
    kind = torch.device(device).type
    if not dist.is_initialized():
        if not {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys():
            raise CourseError(
                "RANK, WORLD_SIZE: expected what torchrun sets for this strategy, got nothing. "
                f"Fix: {HOW_TO_START}"
            )
        end_with_launcher()
        if os.environ.get("LOCAL_WORLD_SIZE") == os.environ["WORLD_SIZE"]:
            loopback = "lo0" if sys.platform == "darwin" else "lo"
            os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)  # all are on this machine
        rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        with others_answer(rank, size):
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo",
                timeout=timedelta(seconds=timeout),
            )
    if kind != "cuda":
        return torch.device(kind)
    place, n_devices = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if place >= n_devices:
        raise CourseError(
            f"--nproc_per_node: expected at most {n_devices} processes, one for each GPU of the "
            f"machine, got {place + 1}. Fix: start fewer, or use --device cpu"
        )
    torch.cuda.set_device(place)
    return torch.device("cuda", place)


@contextmanager
def others_answer(rank: int, size: int) -> Iterator[None]:
    """Turn a backend's error into one that says which process waited in vain.

    Args:
        rank: of this process.
        size: how many there are.

    Raises:
        ProcessLost: the block failed because another process did not answer.

    >>> with others_answer(1, 2):
    ...     raise RuntimeError("[gloo/pair.cc:5] Connection closed by peer")
    Traceback (most recent call last):
    ...
    llm_course.recipes.engines.processes.ProcessLost: process 1 of 2: expected an answer ...
    """
    try:
        yield
    except (RuntimeError, CheckpointException) as error:
        if not _is_about_others(error):
            raise
        reason = " ".join(str(_first(error)).split())
        # A backend puts its source file before the reason, and advice after it.
        reason = reason.split("] ", 1)[-1].split(". ")[0].rstrip(".")[:200]
        raise ProcessLost(
            f"process {rank} of {size}: expected an answer of the other processes, got: {reason}. "
            "Fix: look at the process that failed first; if one is only slow, raise timeout in the "
            "recipe's [parallel]"
        ) from error


def end_with_launcher() -> None:
    """End this process soon after the one that started it has ended, even by SIGKILL."""
    launcher = os.getppid()

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def leave_group() -> None:
    """Take leave of the others when the work is done."""
    if dist.is_initialized():
        dist.destroy_process_group()


def leave(code: int) -> None:
    """End this process at once, so that those who wait for it learn of it.

    An ordinary end would wait for messages to others that may never be answered.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _is_about_others(error: BaseException) -> bool:
    first = _first(error)
    return isinstance(first, dist.DistError) or any(sign in str(first) for sign in _SIGNS)


def _first(error: BaseException) -> BaseException:
    """The error itself, or the first that DCP collected of all processes."""
    if isinstance(error, CheckpointException):
        for found, _ in error.failures.values():
            return found
    return error
