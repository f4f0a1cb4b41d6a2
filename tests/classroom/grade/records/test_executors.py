"""Jobs run elsewhere; a worker that ends costs its job at most."""

import os
import sys
from pathlib import Path

import pytest

from llm_course.classroom.grade.records.executors import executor, run_jobs
from llm_course.errors import CourseError


def upper(text):
    return text.upper()


def dies_once(text):
    """Ends its process the first time it sees a marked job."""
    if text.startswith("/") and not Path(text).exists():
        Path(text).touch()
        os._exit(9)
    return "survived" if text.startswith("/") else text.upper()


def always_dies(text):
    if text == "die":
        os._exit(9)
    return text


def raises(text):
    raise ValueError(text)


def results(work, texts, jobs=2):
    with executor(jobs) as new:
        made = [(name, lambda text=text: text) for name, text in enumerate(texts)]
        return dict(run_jobs(work, made, new, at_once=2 * jobs))


def test_every_job_is_answered():
    assert results(upper, list("abcdefgh")) == dict(enumerate("ABCDEFGH"))


def test_a_worker_that_ends_is_replaced_and_its_job_tried_again(tmp_path):
    found = results(dies_once, ["a", str(tmp_path / "mark"), "b"])
    assert found == {0: "A", 1: "survived", 2: "B"}


def test_a_job_that_always_ends_its_worker_costs_nobody_else():
    found = results(always_dies, ["a", "die", "b", "c"], jobs=1)
    assert isinstance(found.pop(1), Exception)
    assert set(found) == {0, 2, 3}


def test_an_exception_is_a_result():
    assert isinstance(results(raises, ["a"])[0], ValueError)


def test_few_jobs_are_made_ahead():
    ahead = []

    def make(number):
        ahead.append(number)
        return str(number)

    with executor(1) as new:
        jobs = [(n, lambda n=n: make(n)) for n in range(10)]
        for done, _ in enumerate(run_jobs(upper, jobs, new, at_once=2), start=1):
            assert len(ahead) <= done + 2


def test_without_dask_a_cluster_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    wanted = r"Fix: pip install 'llm-course\[cluster\]'"
    with pytest.raises(CourseError, match=wanted), executor(1, "tcp://127.0.0.1:1"):
        pass
