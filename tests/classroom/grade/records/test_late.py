"""Due dates and late penalties: nbgrader's plugins decide, and grades, pages and exports agree."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from nbgrader.plugins import LateSubmissionPlugin
from traitlets.config import Config

from llm_course.classroom.grade.marking.assignment import Assignment, Question, Test
from llm_course.classroom.grade.marking.report import QuestionResult, Report, TestResult
from llm_course.classroom.grade.records.class_run import grade_class
from llm_course.classroom.grade.records.gradebook import enter, opened, prepare
from llm_course.classroom.grade.records.late import (
    PercentADay,
    assign_penalties,
    configuration,
    due_dates,
    late_students,
)
from llm_course.errors import CourseError

QUESTION = Question(
    grade_id="ex-07-1-mean",
    title="Mean",
    functions=("mean",),
    solution="",
    stub="",
    tests=(
        Test(grade_id="test-07-1-mean", points=1.0, source="", hidden=False),
        Test(grade_id="test-07-1-mean-hidden", points=3.0, source="", hidden=True),
    ),
)
ASSIGNMENT = Assignment(
    chapter="07_a", name="n", title="N", version="", setup=(), release=None, questions=(QUESTION,)
)
DUE = datetime(2026, 11, 30, 12, tzinfo=UTC)


def report(*points, student="ada"):
    tests = tuple(
        TestResult(grade_id=test.grade_id, points=given, max_points=test.points, hidden=False)
        for test, given in zip(QUESTION.tests, points, strict=True)
    )
    question = QuestionResult(grade_id="ex-07-1-mean", title="", optional=False, tests=tests)
    return Report(
        student=student, chapter="07_a", notebook="n", submission_hash="", grader_hash="",
        questions=(question,),
    )  # fmt: skip


@pytest.fixture
def book(tmp_path):
    with opened(tmp_path) as gradebook:
        prepare(gradebook, [ASSIGNMENT], {"07_a": DUE})
        yield gradebook


def config(plugin, **settings):
    found = Config()
    found.AssignLatePenalties.plugin_class = plugin
    found[plugin.__name__] = Config(settings)
    return found


def test_nbgraders_zero_takes_everything_of_who_is_late(book):
    enter(book, report(1, 3), DUE + timedelta(seconds=1))
    enter(book, report(1, 3, student="bob"), DUE)
    zero = config(LateSubmissionPlugin, penalty_method="zero")
    assert assign_penalties(book, ["07_a"], zero) == {("ada", "07_a"): 4.0}
    ada = book.find_submission("07_a", "ada")
    assert ada.notebooks[0].late_submission_penalty == 4.0
    assert book.find_submission("07_a", "bob").notebooks[0].late_submission_penalty is None
    assert late_students(book, ["07_a"]) == ["07_a: due 2026-11-30 12:00 UTC; late: ada (0.0 h)."]


def test_without_configuration_being_late_costs_nothing(book):
    enter(book, report(1, 3), DUE + timedelta(days=9))
    assert assign_penalties(book, ["07_a"], Config()) == {}


@pytest.mark.parametrize(("hours", "cost"), [(-1, 0.0), (1, 0.8), (24, 0.8), (25, 1.6), (999, 4.0)])
def test_days_that_have_begun_cost(book, hours, cost):
    enter(book, report(1, 3), DUE + timedelta(hours=hours))
    found = assign_penalties(book, ["07_a"], config(PercentADay, percent=20.0))
    assert found.get(("ada", "07_a"), 0.0) == pytest.approx(cost)


def test_an_extension_given_in_nbgrader_counts(book):
    enter(book, report(1, 3), DUE + timedelta(hours=30))
    book.grant_extension("07_a", "ada", hours=31)
    assert assign_penalties(book, ["07_a"], config(PercentADay)) == {}


def test_a_penalty_of_a_strange_plugin_stays_between_nothing_and_everything(book):
    class Strange(LateSubmissionPlugin):
        def late_submission_penalty(self, student_id, score, total_seconds_late):
            return {"ada": 99.0, "bob": -5.0}[student_id]

    for student in ("ada", "bob"):
        enter(book, report(1, 0, student=student), DUE + timedelta(hours=1))
    assert assign_penalties(book, ["07_a"], config(Strange)) == {("ada", "07_a"): 1.0}


def test_handing_in_again_in_time_takes_the_penalty_back(book):
    rule = config(PercentADay)
    enter(book, report(1, 3), DUE + timedelta(hours=1))
    assert assign_penalties(book, ["07_a"], rule)
    enter(book, report(1, 3), DUE - timedelta(hours=1))
    assert assign_penalties(book, ["07_a"], rule) == {}


def test_dates_are_read_with_and_without_a_zone():
    found = due_dates(["a=2026-11-30T12:00Z", "b=2026-11-30T12:00"], ["a", "b"])
    assert found["a"] == DUE
    assert found["b"] == datetime(2026, 11, 30, 12).astimezone()


@pytest.mark.parametrize("text", ["a", "a=tomorrow", "=2026-11-30", "z=2026-11-30"])
def test_a_wrong_date_is_told(text):
    with pytest.raises(CourseError, match="due date: expected .* Fix: "):
        due_dates([text], ["a"])


def test_the_rule_is_read_from_nbgraders_configuration(tmp_path):
    assert configuration(tmp_path) == Config()
    name = f"{PercentADay.__module__}.PercentADay"
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.AssignLatePenalties.plugin_class = {name!r}\n"
        "c.PercentADay.percent = 50\n"
    )
    found = configuration(tmp_path)
    with opened(tmp_path) as book:
        prepare(book, [ASSIGNMENT], {"07_a": DUE})
        enter(book, report(1, 3), DUE + timedelta(hours=1))
        assert assign_penalties(book, ["07_a"], found) == {("ada", "07_a"): 2.0}


def test_the_penalty_reaches_grades_feedback_and_exports(
    in_this_process, handed_in, tmp_path, known
):
    late = datetime(2026, 12, 2, tzinfo=UTC).timestamp()
    os.utime(handed_in / "bob" / "self_attention.ipynb", (late, late))
    early = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
    os.utime(handed_in / "ada" / "self_attention.ipynb", (early, early))
    options = {"config": config(PercentADay, percent=25.0)}
    for due in ({"07_attention": DUE}, None):  # the gradebook keeps the due date
        run = grade_class(known, handed_in, tmp_path / "out", due=due, **options)
        found = {s: run.grades.totals[s, "07_attention"].points for s in ("ada", "bob")}
        assert found == {"ada": 18.0, "bob": 9.0}
        assert any("late: bob (36.0 h)" in problem for problem in run.problems)
    data = json.loads((tmp_path / "out" / "grades.json").read_text())
    assert [s["chapters"][0]["late_penalty"] for s in data["students"]] == [0.0, 9.0]
    assert "bob,07_attention,,(late penalty),-9,0,," in (tmp_path / "out/grades.csv").read_text()
    assert "handed in late: -9" in (tmp_path / "out/export/moodle-07_attention.csv").read_text()
    assert "late" in (tmp_path / "out" / "feedback" / "bob.html").read_text()
