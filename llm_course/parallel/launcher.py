"""Real processes, one for each rank, started once and asked many times.

``RankPool`` starts them on this machine, calls a function on all of them, and takes care that none
is left behind: when one dies, fails or is late, every rank's error is in the one that is raised,
and all processes are ended. For several machines there is ``torchrun``.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import torch

from llm_course.errors import CourseError
from llm_course.parallel.rank_process import serve_rank

GRACE = 5.0
"""Seconds that the other ranks get to report, beyond the time-out, once one has failed."""
START_LIMIT = 300.0
"""Seconds in which the processes must have started; importing PyTorch takes most of them."""
PRELOAD = ["llm_course.parallel.rank_process", "llm_course.parallel.trainer", "torch._dynamo"]
"""What every rank needs sooner or later; an optimizer's first step imports the last of them."""


class RanksFailed(CourseError):
    """A rank failed, and with it the run; all processes have been ended.

    Args:
        errors: what happened on each rank that gave no result.
        culprits: the ranks that did not merely lose another one.
        details: the tracebacks, where there are any.
    """

    def __init__(
        self, errors: dict[int, str], culprits: Sequence[int], details: dict[int, str]
    ) -> None:
        self.errors, self.culprits, self.details = errors, list(culprits), details
        lines = [f"  rank {rank}: {text}" for rank, text in sorted(errors.items())]
        first = ", ".join(f"rank {rank}" for rank in culprits) or "a rank"
        super().__init__(
            "ranks: expected a result from each, got "
            f"{len(errors)} errors. Look first at {first}:\n" + "\n".join(lines)
        )


class RankPool:
    """Processes that form a world of ``n_ranks``; a context manager.

    Args:
        n_ranks: how many.
        timeout: seconds that a collective may wait for another rank.
        limit: seconds that a whole call may take.
        backend: ``gloo`` on a CPU, ``nccl`` with a GPU for each rank.
        threads: threads of each process for computing.

    Raises:
        RanksFailed: a process did not start.

    >>> from operator import add
    >>> with RankPool(1) as pool:
    ...     pool.run(add, 2, 3)
    [5]
    """

    def __init__(
        self,
        n_ranks: int,
        *,
        timeout: float = 60.0,
        limit: float = 600.0,
        backend: str = "gloo",
        threads: int = 1,
    ) -> None:
        if n_ranks < 1:
            raise ValueError(f"n_ranks: expected at least 1, got {n_ranks}.")
        self.n_ranks, self.timeout, self.limit = n_ranks, timeout, limit
        self._folder = Path(tempfile.mkdtemp(prefix="ranks-"))
        context, self._pipes, self.processes = _context(), [], []
        for rank in range(n_ranks):
            ours, theirs = context.Pipe()
            store = str(self._folder / "store")
            process = context.Process(
                target=serve_rank,
                args=(rank, n_ranks, store, backend, timeout, threads, theirs),
                name=f"rank {rank}",
                daemon=True,
            )
            process.start()
            theirs.close()  # so that its end is seen when the process ends
            self._pipes.append(ours)
            self.processes.append(process)
        self._collect(START_LIMIT)

    @property
    def is_open(self) -> bool:
        """Whether it can be asked, because it is not closed and no rank has failed."""
        return bool(self._pipes)

    def run(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call a function on every rank, and return what each returned.

        Args:
            function: at the top level of a module, so that another process can import it.
            arguments: plain values, the same for all ranks; a function that needs its rank asks
                ``torch.distributed.get_rank()``.

        Returns:
            One result for each rank; a tensor among them has been copied.

        Raises:
            CourseError: the pool is closed, or the function cannot be imported elsewhere.
            RanksFailed: a rank failed, died or was late; the pool is then closed.
        """
        if not self.is_open:
            raise CourseError(
                "pool: expected running processes, got a closed pool. Fix: a new one."
            )
        if "<" in getattr(function, "__qualname__", "<"):
            raise CourseError(
                f"function: expected one at the top level of a module, got {function!r}. "
                "Fix: move it into a file that can be imported."
            )
        for pipe in self._pipes:
            with suppress(BrokenPipeError):  # it has died meanwhile, which reading will tell
                pipe.send((function, arguments))
        return [_as_tensors(value) for value in self._collect(self.limit)]

    def close(self) -> None:
        """End all processes and wait until they have ended; nothing is left behind."""
        for pipe in self._pipes:
            pipe.close()
        self._pipes = []
        deadline = time.monotonic() + GRACE
        for process in self.processes:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
            process.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> "RankPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _collect(self, limit: float) -> list[Any]:
        """The results, or ``RanksFailed`` once every rank has answered or had its time."""
        deadline, failed = time.monotonic() + limit, False
        missing: dict[Connection, int] = {pipe: rank for rank, pipe in enumerate(self._pipes)}
        answers: dict[int, tuple[str, Any, str]] = {}
        while missing and (left := deadline - time.monotonic()) > 0:
            for pipe in wait(list(missing), left):
                rank = missing.pop(pipe)
                answers[rank] = self._read(pipe, rank)
                if answers[rank][0] == "error" and not failed:
                    failed, deadline = True, time.monotonic() + self.timeout + GRACE
        for rank in missing.values():
            text = "still busy when the others had failed" if failed else "gave no answer in time"
            answers[rank] = "error", ("Late", f"{text}; it was ended."), ""
        if any(kind == "error" for kind, _, _ in answers.values()):
            self._give_up(answers, list(missing.values()))
        return [answers[rank][1] for rank in range(self.n_ranks)]

    def _read(self, pipe: Connection, rank: int) -> tuple[str, Any, str]:
        """What a rank answered, or what its process died of."""
        try:
            return pipe.recv()
        except (EOFError, ConnectionResetError):
            process = self.processes[rank]
            process.join()
            code = process.exitcode
            how = (
                f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
            )
            return "error", ("Died", f"its process (pid {process.pid}) died {how}."), ""

    def _give_up(self, answers: dict[int, tuple[str, Any, str]], late: list[int]) -> None:
        """End everything and raise."""
        for rank in late:
            self.processes[rank].kill()
        self.close()
        errors = {rank: value for rank, (kind, value, _) in answers.items() if kind == "error"}
        raise RanksFailed(
            {rank: text for rank, (_, text) in errors.items()},
            sorted(rank for rank, (kind, _) in errors.items() if kind != "RankLost"),
            {rank: detail for rank, (_, _, detail) in answers.items() if detail},
        )


def run_ranks(
    function: Callable[..., Any], n_ranks: int, *arguments: Any, timeout: float = 60.0
) -> list[Any]:
    """Start ranks, call a function on each, end them, and return the results.

    Raises:
        CourseError: the function cannot be imported elsewhere.
        RanksFailed: a rank failed, died or was late.
    """
    with RankPool(n_ranks, timeout=timeout) as pool:
        return pool.run(function, *arguments)


def _context() -> BaseContext:
    """How processes begin: forked from a server that has imported PyTorch once for all of them.

    The server computes nothing, so that no thread and no CUDA context is forked. Where there is
    none, each process imports for itself.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def _as_tensors(value: Any) -> Any:
    """The inverse of ``as_plain``."""
    if type(value).__module__ == "numpy" and hasattr(value, "dtype"):
        return torch.as_tensor(value)
    if isinstance(value, dict):
        return {key: _as_tensors(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_as_tensors(part) for part in value)
    return value
