"""nbgrader's gradebook shows what the reports say, and keeps what was set by hand."""

import sqlite3
from datetime import UTC, datetime

import pytest
from nbgrader.apps import ExportApp

from llm_course.classroom.grade.marking.assignment import Assignment, Question, Test
from llm_course.classroom.grade.marking.report import QuestionResult, Report, TestResult
from llm_course.classroom.grade.records import gradebook as module
from llm_course.classroom.grade.records.gradebook import (
    FILE,
    apply_overrides,
    back_up,
    check,
    enter,
    opened,
    prepare,
)
from llm_course.classroom.grade.records.override import Override
from llm_course.errors import CourseError

TESTS = (("test-07-1-mean", 1.0), ("test-07-1-mean-hidden", 3.0))
ASSIGNMENT = Assignment(
    chapter="07_a",
    name="n",
    title="N",
    version="",
    setup=(),
    release=None,
    questions=(
        Question(
            grade_id="ex-07-1-mean",
            title="Mean",
            functions=("mean",),
            solution="",
            stub="",
            tests=tuple(
                Test(grade_id=name, points=points, source="", hidden=False)
                for name, points in TESTS
            ),
        ),
    ),
)


def report(*points, student="ada", status="graded"):
    tests = tuple(
        TestResult(grade_id=name, points=given, max_points=most, hidden=False)
        for (name, most), given in zip(TESTS, points, strict=True)
    )
    question = QuestionResult(grade_id="ex-07-1-mean", title="", optional=False, tests=tests)
    return Report(
        student=student, chapter="07_a", notebook="n", submission_hash="", grader_hash="",
        status=status, questions=(question,),
    )  # fmt: skip


@pytest.fixture
def book(tmp_path):
    with opened(tmp_path) as found:
        prepare(found, [ASSIGNMENT])
        yield found


def score(book, student="ada"):
    return book.find_submission("07_a", student).score


def test_points_are_entered_once(book):
    assert enter(book, report(1, 0)) is True
    assert enter(book, report(1, 0)) is False
    assert score(book) == 1 and book.find_submission("07_a", "ada").max_score == 4


def test_a_better_grade_replaces_the_older_one(book):
    enter(book, report(1, 0))
    enter(book, report(1, 3))
    assert score(book) == 4 and not book.find_submission("07_a", "ada").needs_manual_grade


def test_a_grader_s_fault_is_not_entered(book):
    assert enter(book, report(0, 0, status="grader-fault")) is False
    assert book.students == []


def test_preparing_again_changes_nothing(book):
    enter(book, report(1, 3))
    prepare(book, [ASSIGNMENT])
    assert score(book) == 4


def test_an_override_wins_and_survives_being_graded_again(book):
    enter(book, report(0, 0))
    given = Override(
        student="ada", chapter="07_a", exercise="ex-07-1-mean", points=2.5, reason="Shown to me."
    )
    apply_overrides(book, [given])
    assert score(book) == 2.5
    enter(book, report(1, 0))
    assert score(book) == 2.5


def test_points_set_in_nbgrader_s_own_tool_are_kept(book):
    enter(book, report(0, 0))
    grade = book.find_grade("test-07-1-mean-hidden", "n", "07_a", "ada")
    grade.manual_score = 2
    book.db.commit()
    enter(book, report(1, 0))
    assert score(book) == 3


def test_an_override_of_nobody_does_nothing(book):
    given = Override(student="x", chapter="07_a", exercise="ex-07-1-mean", points=1, reason="r")
    apply_overrides(book, [given])
    assert book.students == []


def test_nbgrader_exports_the_same_points(book, tmp_path, monkeypatch):
    enter(book, report(1, 3))
    enter(book, report(1, 0, student="bob"), datetime(2026, 1, 2, tzinfo=UTC).replace(tzinfo=None))
    target = tmp_path / "grades.csv"
    monkeypatch.chdir(tmp_path)
    app = ExportApp.instance()
    app.config.CourseDirectory.db_url = f"sqlite:///{tmp_path / FILE}"
    app.config.CourseDirectory.root = str(tmp_path)
    app.initialize([f"--to={target}"])
    app.start()
    ExportApp.clear_instance()
    rows = [line.split(",") for line in target.read_text().splitlines()]
    student, points = rows[0].index("student_id"), rows[0].index("score")
    assert {row[student]: float(row[points]) for row in rows[1:]} == {"ada": 4, "bob": 1}


def test_backups_are_whole_and_few(tmp_path, monkeypatch):
    assert back_up(tmp_path) is None
    with opened(tmp_path) as book:
        prepare(book, [ASSIGNMENT])
        enter(book, report(1, 3))
    monkeypatch.setattr(module, "KEPT", 2)
    copies = [back_up(tmp_path) for _ in range(4)]
    assert [copy.exists() for copy in copies] == [False, False, True, True]
    with sqlite3.connect(copies[-1]) as database:
        assert database.execute("select count(*) from grade").fetchone() == (2,)


@pytest.mark.parametrize("damage", [b"not a database", None])
def test_a_damaged_gradebook_names_the_backup_to_restore(tmp_path, damage):
    with opened(tmp_path) as book:
        prepare(book, [ASSIGNMENT])
    copy, path = back_up(tmp_path), tmp_path / FILE
    whole = path.read_bytes()
    path.write_bytes(damage or whole[: len(whole) // 2])
    with pytest.raises(CourseError, match=f"Fix: cp {copy}"):
        check(path)
    copy.write_bytes(b"too")
    with pytest.raises(CourseError, match="Fix: delete it; grades come back"):
        check(path)


def test_an_exercise_that_came_later_is_graded_in_a_submission_that_was_there(tmp_path):
    with opened(tmp_path) as gradebook:
        gradebook.add_assignment("07_a")
        gradebook.add_student("ada")
        gradebook.add_submission("07_a", "ada")  # before any notebook or test was known
        prepare(gradebook, [ASSIGNMENT])
        assert enter(gradebook, report(1, 3)) and not enter(gradebook, report(1, 3))
        submission = gradebook.find_submission("07_a", "ada")
        assert (submission.score, submission.max_score) == (4, 4)
        assert len(submission.notebooks) == 1 and len(submission.notebooks[0].grades) == 2
