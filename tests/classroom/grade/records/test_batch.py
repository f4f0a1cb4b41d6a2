"""A class is graded once, by one writer, and nothing is lost whatever happens."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
from distributed import LocalCluster
from nbgrader.api import Gradebook

from llm_course.classroom.grade.intake.collect import Submission
from llm_course.classroom.grade.marking.assignment import Assignment, Question, Test
from llm_course.classroom.grade.records.batch import grade_all, grader_hash
from llm_course.classroom.grade.records.override import Override
from llm_course.errors import CourseError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
batch_work = import_module("batch_work")  # by name, so that worker processes find it too


def assignment(source="assert mean([1]) == 1"):
    test = Test(grade_id="test-07-1-mean", points=4, source=source, hidden=False)
    question = Question(
        grade_id="ex-07-1-mean", title="Mean", functions=("mean",), solution="", stub="",
        tests=(test,),
    )  # fmt: skip
    return Assignment(
        chapter="07_a", name="n", title="N", version="", setup=(), release=None,
        questions=(question,),
    )  # fmt: skip


def known(source="assert mean([1]) == 1"):
    return {"07_a/n": (assignment(source), {"some": "spec"})}


def class_of(points):
    return [
        Submission(student, "07_a", "n", f"{student}/n.ipynb", str(given).encode())
        for student, given in points.items()
    ]


POINTS = {f"s{number:02}": number % 5 for number in range(12)}


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """How often each student was graded."""
    path = tmp_path / "counter"
    monkeypatch.setenv("BATCH_COUNTER", str(path))
    return lambda: sorted(path.read_text().split()) if path.exists() else []


def entered(out):
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "llm-course") as book:
        return {s.student.id: s.score for s in book.assignment_submissions("07_a")}


def files(out):
    """Everything below the folder of grades, apart from what carries a time."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.parent.name != "backups" and path.name != ".lock"
    }


def test_a_class_is_graded_and_entered(tmp_path):
    out, told = tmp_path / "grades", []
    done = grade_all(
        known(), class_of(POINTS), out, work=batch_work.quick, jobs=2,
        progress=lambda report, number, total: told.append((number, total)),
    )  # fmt: skip
    assert {r.student: r.points for r in done.reports} == POINTS == entered(out)
    assert (done.new, done.kept) == (12, 0) and told == [(n, 12) for n in range(1, 13)]
    assert (out / "secret.key").stat().st_mode & 0o077 == 0


def test_running_again_changes_nothing(tmp_path, counted):
    out = tmp_path / "grades"
    grade_all(known(), class_of(POINTS), out, work=batch_work.quick)
    before, graded = files(out), counted()
    done = grade_all(known(), class_of(POINTS), out, work=batch_work.quick)
    assert (done.new, done.kept) == (0, 12) and files(out) == before and counted() == graded


def test_only_what_changed_is_graded_again(tmp_path, counted):
    out = tmp_path / "grades"
    grade_all(known(), class_of(POINTS), out, work=batch_work.quick)
    done = grade_all(known(), class_of(POINTS | {"s03": 1}), out, work=batch_work.quick)
    assert (done.new, entered(out)["s03"]) == (1, 1)
    assert counted().count("s03") == 2 and counted().count("s04") == 1
    done = grade_all(known("assert 1"), class_of(POINTS), out, work=batch_work.quick)
    assert done.new == 12, "other tests, other grades"


def test_trouble_costs_nobody_else(tmp_path):
    points = POINTS | {"dies": 4, "raises": 4, "nonsense": 4}
    out = tmp_path / "grades"
    done = grade_all(known(), class_of(points), out, work=batch_work.troubled, jobs=2)
    faults = {r.student for r in done.reports if r.status == "grader-fault"}
    assert faults == {"dies", "raises", "nonsense"}
    assert entered(out) == POINTS
    again = grade_all(known(), class_of(points), out, work=batch_work.quick)
    assert again.new == 3 and entered(out) == points


def test_an_override_survives_every_run(tmp_path):
    out = tmp_path / "grades"
    given = [Override(student="s01", chapter="07_a", exercise="ex-07-1-mean", points=3, reason="r")]
    for points in (1, 2, 2):
        submissions = class_of(POINTS | {"s01": points})
        grade_all(known(), submissions, out, work=batch_work.quick, overrides=given)
        assert entered(out)["s01"] == 3


def test_a_gradebook_that_was_lost_is_made_again_from_the_reports(tmp_path, counted):
    out = tmp_path / "grades"
    grade_all(known(), class_of(POINTS), out, work=batch_work.quick)
    (out / "gradebook.db").unlink()
    grade_all(known(), class_of(POINTS), out, work=batch_work.quick)
    assert entered(out) == POINTS and len(counted()) == 12


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="Fix"):
        grade_all(known(), class_of(POINTS), tmp_path / "file", work=batch_work.quick)


def test_the_hash_follows_the_tests():
    assert grader_hash(assignment()) == grader_hash(assignment())
    assert grader_hash(assignment()) != grader_hash(assignment("assert 2"))


KILLED = """
import sys
sys.path.insert(0, {here!r})
import test_batch as t, batch_work
if __name__ == "__main__":
    t.grade_all(t.known(), t.class_of(t.POINTS), t.Path({out!r}), work=batch_work.slow, jobs=2)
"""


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost(tmp_path):
    out, script = tmp_path / "grades", tmp_path / "run.py"
    script.write_text(KILLED.format(here=str(HERE), out=str(out)))
    chance = random.Random(0)
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, str(script)], start_new_session=True, env=_environment()
        )
        time.sleep(chance.uniform(0.5, 6.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if (out / "gradebook.db").exists():
            with sqlite3.connect(out / "gradebook.db") as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for path in (out / "reports").rglob("*.json"):
            json.loads(path.read_text())
        for path in out.rglob("*.tmp"):
            path.unlink()  # of a process that was killed while it wrote; never taken for a file
    done = grade_all(known(), class_of(POINTS), out, work=batch_work.quick)
    assert {r.student: r.points for r in done.reports} == POINTS == entered(out)


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[2])])}


@pytest.mark.slow
def test_on_a_cluster_a_worker_that_is_killed_loses_no_grade(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", _environment()["PYTHONPATH"])
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        victims = [worker.pid for worker in cluster.workers.values()]

        def kill(report, number, total):
            if number == 3:
                os.kill(victims[0], signal.SIGKILL)

        done = grade_all(
            known(), class_of(POINTS), tmp_path / "grades", work=batch_work.slow, jobs=2,
            scheduler=cluster.scheduler_address, progress=kill,
        )  # fmt: skip
    assert {r.student: r.points for r in done.reports} == POINTS == entered(tmp_path / "grades")
    with pytest.raises(CourseError, match="expected a Dask scheduler"):
        grade_all(
            known(), class_of({"new": 1}), tmp_path / "grades", work=batch_work.quick,
            scheduler="tcp://127.0.0.1:9",
        )  # fmt: skip
