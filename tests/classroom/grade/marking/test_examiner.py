"""The examiner: one warm process, a child for each notebook, and a report whatever happens."""

import base64
import json
import os
import signal
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from llm_course.classroom.grade.marking import examiner as module
from llm_course.classroom.grade.marking.examiner import (
    Examiner,
    chapter_spec,
    load,
    mark_job,
    nbgrader_spec,
)
from llm_course.classroom.grade.marking.report import from_json
from llm_course.errors import CourseError

pytestmark = pytest.mark.needs("bubblewrap")
GOOD = "def double(x):\n    return 2 * x"


def notebook(answer, test="assert double(4) == 8"):
    cells = []
    for name, source, fields in (
        ("ex", answer, {"solution": True, "grade": False}),
        ("test", test, {"solution": False, "grade": True, "points": 2}),
    ):
        cell = new_code_cell(source)
        cell.metadata["nbgrader"] = {
            "grade_id": name, "locked": False, "schema_version": 3, "task": False, **fields
        }  # fmt: skip
        cells.append(cell)
    return new_notebook(cells=cells)


@pytest.fixture
def make_job(tmp_path):
    """A job with an answer and a test."""

    def make(answer=GOOD, test="assert double(4) == 8"):
        paths = tmp_path / "source.ipynb", tmp_path / "work.ipynb"
        nbformat.write(notebook(GOOD, test), paths[0])
        nbformat.write(notebook("stub", test), paths[1])
        module._loaded.cache_clear()
        return {
            "spec": nbgrader_spec("ps", *paths),
            "student": "ada",
            "data": base64.b64encode(nbformat.writes(notebook(answer)).encode()).decode(),
            "secret": base64.b64encode(b"secret").decode(),
            "grader_hash": "g",
        }

    return make


@pytest.fixture
def examiner():
    """An examiner that is closed after the test."""
    found = Examiner()
    yield found
    found.close()
    assert not Path(found._work.name).exists()


def marked(examiner, job):
    return from_json(examiner.mark(job))


def test_notebooks_are_graded_one_after_the_other_by_one_process(examiner, make_job):
    first = marked(examiner, make_job())
    pid = examiner._process.pid
    second = marked(examiner, make_job("def double(x): return x"))
    assert (first.points, second.points) == (2, 0)
    assert (first.student, first.grader_hash, first.status) == ("ada", "g", "graded")
    assert examiner._process.pid == pid


def test_a_test_that_ends_its_process_is_the_grader_s_fault(examiner, make_job):
    report = marked(examiner, make_job(test="import os; os._exit(3)"))
    assert report.status == "grader-fault" and report.faults[0].blame == "grader"
    assert marked(examiner, make_job()).points == 2


def test_a_test_that_does_not_end_is_ended(examiner, make_job, monkeypatch):
    monkeypatch.setenv("LLM_COURSE_JOB_SECONDS", "4")
    report = marked(examiner, make_job(test="while True: pass"))
    assert report.status == "grader-fault" and "more than 4 seconds" in report.faults[0].message
    assert marked(examiner, make_job()).points == 2


def test_an_examiner_that_was_killed_is_started_again(examiner, make_job):
    assert marked(examiner, make_job()).points == 2
    os.kill(examiner._process.pid, signal.SIGKILL)
    examiner._process.wait()
    assert marked(examiner, make_job()).points == 2


def test_a_broken_chapter_is_told(examiner, make_job):
    job = make_job()
    Path(job["spec"]["source"]).write_text("{")
    with pytest.raises(CourseError, match="released notebook"):
        examiner.mark(job)


def test_closing_leaves_no_process(make_job):
    examiner = Examiner()
    examiner.mark(make_job())
    family = psutil.Process(examiner._process.pid).children(recursive=True)
    process = examiner._process
    examiner.close()
    assert process.poll() is not None
    deadline = time.monotonic() + 5
    while any(child.is_running() for child in family) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(child.is_running() for child in family)


def test_worker_processes_call_it_with_text(make_job):
    report = from_json(mark_job(json.dumps(make_job())))
    assert report.points == 2
    module._local.examiner.close()
    del module._local.examiner


def test_a_chapter_is_named_by_root_and_key():
    root = Path(__file__).parents[4]
    found = load(chapter_spec(root, "07_attention/self_attention"))
    assert found.key == "07_attention/self_attention"
    assert load(chapter_spec(root, "07_attention/self_attention")) is found
