"""Ranks that die, fail or sleep: an error for every rank, in time, and nobody is left behind."""

import os
import signal
import time

import pytest
import torch
import torch.distributed as dist

from llm_course.errors import CourseError
from llm_course.parallel.collectives import all_reduce
from llm_course.parallel.launcher import RankPool, RanksFailed, run_ranks
from llm_course.parallel.mesh import make_mesh


def whoami(argument):
    return {"rank": dist.get_rank(), "size": dist.get_world_size(), "value": argument,
            "tensor": torch.full((2,), float(dist.get_rank()))}  # fmt: skip


def misbehave(how, culprit):
    """All ranks but one wait in an all-reduce for the one that never comes."""
    group = make_mesh(data=dist.get_world_size()).data
    all_reduce(torch.zeros(8), group)
    if dist.get_rank() == culprit:
        if how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "fail":
            raise KeyError("no such batch")
        time.sleep(600)
    all_reduce(torch.zeros(8), group)


def is_running(process):
    """Asked of the system: whether the process is there, and not a corpse."""
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    return process.is_alive()


def test_every_rank_answers_and_remembers_nothing_of_the_caller(two_ranks):
    results = two_ranks.run(whoami, {"a": [1, (2.5, "x")]})
    assert [result["rank"] for result in results] == [0, 1]
    assert all(result["size"] == 2 for result in results)
    assert results[0]["value"] == {"a": [1, (2.5, "x")]}
    assert results[1]["tensor"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    # Who has died is noticed at once, who sleeps when the time-out has passed.
    ("how", "culprit", "timeout", "expected"),
    [
        ("die", 1, 60.0, "died by signal 9"),
        ("fail", 0, 60.0, "KeyError: 'no such batch'"),
        pytest.param(
            "sleep",
            2,
            6.0,
            "still busy when the others had failed; it was ended",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_one_bad_rank_is_named_and_all_processes_are_ended(how, culprit, timeout, expected):
    pool = RankPool(3, timeout=timeout)
    processes = list(pool.processes)
    assert all(map(is_running, processes))
    start = time.monotonic()
    with pytest.raises(RanksFailed) as caught:
        pool.run(misbehave, how, culprit)
    assert time.monotonic() - start < 300, "in time, with all patience for a busy machine"
    error = caught.value
    assert error.culprits == [culprit]
    assert expected in error.errors[culprit]
    assert set(error.errors) == {0, 1, 2}, "an error for every rank"
    for rank in {0, 1, 2} - {culprit}:
        # It was receiving from one neighbour, or sending to the other.
        assert error.errors[rank].startswith(f"rank {rank} of 3 (data): expected ")
        assert "Fix: look at the rank that failed first" in error.errors[rank]
    assert f"Look first at rank {culprit}" in str(error)
    assert not any(map(is_running, processes)), "expected no process left behind"
    assert not pool.is_open
    with pytest.raises(CourseError, match="closed pool"):
        pool.run(whoami, 1)


def test_a_call_that_takes_too_long_is_ended():
    pool = RankPool(1, limit=1.0)
    with pytest.raises(RanksFailed, match="rank 0: gave no answer in time; it was ended"):
        pool.run(time.sleep, 600)
    assert not any(map(is_running, pool.processes))


def test_a_function_that_no_other_process_can_import_is_refused(two_ranks):
    with pytest.raises(CourseError, match="function: expected one at the top level of a module"):
        two_ranks.run(lambda: 1)
    assert two_ranks.run(whoami, 0)[0]["rank"] == 0, "the pool still works"


def test_run_ranks_starts_and_ends_a_world():
    (pid,) = run_ranks(os.getpid, 1)
    assert pid != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_there_is_at_least_one_rank():
    with pytest.raises(ValueError, match="n_ranks: expected at least 1, got 0"):
        RankPool(0)
