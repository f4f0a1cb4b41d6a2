"""Where many jobs run: worker processes of this machine, or a Dask cluster.

Only text crosses: a job as JSON to the worker, a report as JSON back. A worker that ends takes
nothing with it but its job, which is tried once more; then the failure is its result. Workers end
with the process that started them, however that ends.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from llm_course.errors import CourseError

TRIES = 2


@contextmanager
def executor(jobs: int, scheduler: str | None = None) -> Iterator[Callable[[], Executor]]:
    """What makes executors: a pool of `jobs` processes, or a Dask scheduler's.

    Calling it again gives the same one, whose workers have started already, or a new one if that
    one broke.

    Raises:
        CourseError: the ``cluster`` extra is missing, or no scheduler answers.
    """
    if scheduler is not None:
        yield from _dask(scheduler)
        return
    made: list[ProcessPoolExecutor] = []

    def new() -> Executor:
        if made and _works(made[-1]):
            return made[-1]
        context = get_context("spawn")
        made.append(ProcessPoolExecutor(jobs, mp_context=context, initializer=end_with_parent))
        return made[-1]

    try:
        yield new
    finally:
        for pool in made:
            pool.shutdown(wait=True, cancel_futures=True)


def run_jobs(
    work: Callable[[str], str],
    jobs: Iterable[tuple[Any, Callable[[], str]]],
    new_executor: Callable[[], Executor],
    at_once: int,
) -> Iterator[tuple[Any, str | BaseException]]:
    """The results of jobs as they finish, a bounded number of them in flight.

    A job that kills its worker takes the whole pool along, and nobody can say which of those in
    flight it was. So what failed is tried again **alone**: an innocent one succeeds there.

    Args:
        work: a function at the top level of a module.
        jobs: what names each job, and what makes its text when its turn comes.
        new_executor: what makes an executor.
        at_once: how many jobs may be in flight.
    """
    waiting, pool = iter(jobs), new_executor()
    flying: dict[Future[str], tuple[Any, Callable[[], str], int]] = {}
    again: list[tuple[Any, Callable[[], str], int]] = []
    while True:
        while _has_room(flying, again, at_once) and (job := _next(again, waiting)) is not None:
            try:
                flying[pool.submit(work, job[1]())] = job
            except RuntimeError:  # the pool broke since: a new one takes the job
                pool = new_executor()
                flying[pool.submit(work, job[1]())] = job
        if not flying:
            return
        done, _ = wait(flying, return_when=FIRST_COMPLETED)
        for future in done:
            key, make, tries = flying.pop(future)
            error = future.exception()
            if error is None:
                yield key, future.result()
            elif tries < TRIES:
                again.append((key, make, tries + 1))
            else:
                yield key, error


def _works(pool: ProcessPoolExecutor) -> bool:
    """Whether a pool takes jobs."""
    try:
        pool.submit(int)
    except RuntimeError:
        return False
    return True


def end_with_parent() -> None:
    """End this worker when the process that started it has ended, even by SIGKILL.

    A worker holds both ends of the queue it reads, so it would never see the queue close.
    """
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _has_room(flying: dict, again: list, at_once: int) -> bool:
    """Whether one more job may fly; beside one that is tried again, none may."""
    if again or any(tries > 1 for _, _, tries in flying.values()):
        return not flying
    return len(flying) < at_once


def _next(
    again: list[tuple[Any, Callable[[], str], int]],
    waiting: Iterator[tuple[Any, Callable[[], str]]],
) -> tuple[Any, Callable[[], str], int] | None:
    """The next job: one to try again first."""
    if again:
        return again.pop()
    found = next(waiting, None)
    return None if found is None else (*found, 1)


def _dask(scheduler: str) -> Iterator[Callable[[], Executor]]:
    """The executor of a Dask scheduler."""
    try:
        from distributed import Client
    except ImportError:
        raise CourseError(
            "running on a cluster needs Dask, which is not installed. "
            "Fix: pip install 'llm-course[cluster]'"
        ) from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{scheduler}: expected a Dask scheduler, got {error}. Fix: start one, or run "
            "on this machine without --scheduler"
        ) from error
    with client:
        # `pure=False`: a job that is tried again is run again.
        yield lambda: client.get_executor(pure=False)
