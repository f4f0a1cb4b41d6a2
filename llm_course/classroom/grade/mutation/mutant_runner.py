"""Running an exercise's tests on many candidates, each in a process of its own that may be ended.

A mutant may loop forever, eat the memory or end Python. So a warm worker, which has imported what
the tests need, forks for each: nothing passes from one candidate to the next, and a child that
uses too much time or memory is ended. Candidates are the course's own code: there is no sandbox.
"""

import contextlib
import json
import os
import resource
import select
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from llm_course.classroom.author.exercises import Exercise, Outcome, run_tests
from llm_course.classroom.execute.kernel_setup import available_cores
from llm_course.classroom.grade.marking.needed_imports import needed
from llm_course.errors import CourseError

MEMORY = 2 * 2**30  # bytes that a candidate may take beyond what the worker has
LEAST_SECONDS = 3  # of processor time, for a candidate whose reference takes next to none
TIMES_SLOWER = 10  # than the reference solution: then a candidate is taken to loop
PATIENCE = 10  # how many times its processor time a candidate may take on a busy machine

_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "MPLBACKEND": "agg"}


class Runner:
    """Worker processes; leaving the context ends them.

    Args:
        jobs: how many candidates run at once, by default one for each core.
    """

    def __init__(self, jobs: int | None = None) -> None:
        self._pool = ProcessPoolExecutor(jobs or available_cores(), get_context("spawn"), _settle)

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def outcomes(self, exercise: Exercise, candidates: Sequence[str]) -> Iterator[Outcome]:
        """What the exercise's tests say of each candidate, in their order.

        The outcome of a candidate that used too much time or memory, or ended its process, names
        ``limit`` in `which`.

        Args:
            exercise: the exercise.
            candidates: sources of a cell that defines the graded function.

        Raises:
            CourseError: the reference solution fails, so that the tests say nothing.
        """
        lean = _lean(exercise)
        outcome, seconds = self._pool.submit(judge, lean, exercise.solution_source, 600).result()
        if not outcome.passed:
            raise CourseError(
                f"{exercise.path}:{exercise.line}: {exercise.label}: expected a solution that "
                f"passes, got: {outcome.message} ({outcome.which}). Fix: mend it or its tests."
            )
        limit = LEAST_SECONDS + round(TIMES_SLOWER * seconds)
        running = [self._pool.submit(judge, lean, source, limit) for source in candidates]
        for future in running:
            yield future.result()[0]


def judge(exercise: Exercise, candidate: str, seconds: int) -> tuple[Outcome, float]:
    """The outcome of a candidate and the processor time it took, from a forked process.

    Args:
        exercise: the exercise.
        candidate: the source of a cell that defines the graded function.
        seconds: of processor time, after which it is ended.
    """
    _warm(exercise.setup)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _report(exercise, candidate, seconds, writer)
    os.close(writer)
    try:
        told = _read(reader, time.monotonic() + PATIENCE * seconds)
    finally:
        os.close(reader)
        for end in (os.kill, os.killpg):  # itself, and what it has started
            with contextlib.suppress(OSError):
                end(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not told:
        return Outcome(False, "it looped, or its process died", "limit"), float(seconds)
    found = json.loads(told)
    return Outcome(**found["outcome"]), found["seconds"]


def _report(exercise: Exercise, candidate: str, seconds: int, writer: int) -> None:
    """In the child: run the tests within limits, write what came out, and end."""
    try:
        os.setsid()
        _limit(seconds)
        begun = time.process_time()
        try:
            outcome = run_tests(exercise, candidate)
        except BaseException as error:  # SystemExit ends a candidate, not the report on it
            outcome = Outcome(False, f"it ended with {type(error).__name__}", "limit")
        spent = time.process_time() - begun
        told = {"outcome": asdict(outcome) | {"message": outcome.message[:2000]}, "seconds": spent}
        os.write(writer, json.dumps(told).encode() + b"\n")
    finally:
        os._exit(0)


def _limit(seconds: int) -> None:
    """Bound what this process may use, and silence it."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = Path("/proc/self/statm")
    if pages.is_file():
        taken = int(pages.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _read(reader: int, deadline: float) -> bytes:
    """The line that the child writes; empty when it ends without one or takes too long."""
    told = b""
    while b"\n" not in told and (left := deadline - time.monotonic()) > 0:
        if select.select([reader], [], [], left)[0]:
            piece = os.read(reader, 65536)
            if not piece:
                return b""
            told += piece
    return told.partition(b"\n")[0] if b"\n" in told else b""


def _lean(exercise: Exercise) -> Exercise:
    """The exercise without the imports that serve the page alone."""
    users = (exercise.solution_source, exercise.visible_test, exercise.hidden_test)
    return replace(exercise, setup="\n".join(needed([exercise.setup], users)))


def _settle() -> None:
    """In a new worker: what a fork must find before anything is imported."""
    os.environ.update(_ENVIRONMENT)


@lru_cache(maxsize=64)
def _warm(setup: str) -> None:
    """Run a set-up once, so that its imports are there when a child repeats it."""
    exec(compile(setup, "<set-up>", "exec"), {"__name__": "__main__"})
