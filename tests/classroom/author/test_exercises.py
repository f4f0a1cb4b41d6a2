"""Exercises, and running their tests on candidates."""

from collections.abc import Callable
from pathlib import Path

import pytest

from llm_course.classroom.author.exercises import Exercise, exercises, graded_function, run_tests
from llm_course.classroom.course import notebooks
from llm_course.errors import CourseError

Edit = Callable[[str, str], Path]


@pytest.fixture
def mean(sample_course: Path) -> Exercise:
    """The first exercise of the sample."""
    return exercises(notebooks(sample_course)[0])[0]


def test_an_exercise_says_what_it_is(mean: Exercise) -> None:
    assert (mean.label, mean.title, mean.function_name) == ("ex-07-1-mean", "The mean", "mean")
    assert (mean.points, mean.stars, mean.minutes, mean.optional) == (3, 1, 20, False)
    assert (mean.path, mean.file_name) == ("solutions/07_sample/counting.md", "ex_07_1_mean.py")
    assert "SEED = 0" in mean.setup
    assert "import math" in mean.setup


def test_order_and_optional(sample_course: Path) -> None:
    found = exercises(notebooks(sample_course)[0])
    assert [(exercise.function_name, exercise.optional) for exercise in found] == [
        ("mean", False),
        ("limit", False),
        ("totals", False),
        ("spread", True),
    ]


def test_the_solution_passes_and_the_stub_fails(sample_course: Path) -> None:
    for exercise in exercises(notebooks(sample_course)[0]):
        assert run_tests(exercise, exercise.solution_source).passed, exercise.label
        outcome = run_tests(exercise, exercise.stub_source)
        assert not outcome.passed, exercise.label
        assert f"{exercise.label}: write your answer here" in outcome.message


@pytest.mark.parametrize(
    ("candidate", "which", "message"),
    [
        (lambda numbers: 0, "visible", "the mean of 1, 2 and 6 is 9 / 3 = 3"),
        (lambda numbers: sum(numbers) // len(numbers), "hidden", "need not be whole"),
        (lambda: 0, "visible", "TypeError: "),
        ("def mean(numbers) return 1", "candidate", "SyntaxError: "),
        ("def average(numbers): return 1", "visible", "NameError: "),
    ],
)
def test_a_failure_says_what_failed(
    mean: Exercise, candidate: Callable | str, which: str, message: str
) -> None:
    outcome = run_tests(mean, candidate)
    assert not outcome.passed
    assert outcome.which == which
    assert message in outcome.message


def test_an_assertion_without_message_has_no_message(
    sample_course: Path, edit_chapter: Edit
) -> None:
    edit_chapter(', "the mean of 1, 2 and 6 is 9 / 3 = 3"', "")
    (mean, *_) = exercises(notebooks(sample_course)[0])
    assert run_tests(mean, lambda numbers: 0).message == ""


def test_namespaces_are_fresh(mean: Exercise) -> None:
    assert run_tests(mean, mean.solution_source).passed
    assert not run_tests(mean, "pass").passed, "the solution of an earlier run must not survive"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("grade_id: test-07-1-mean,", "grade_id: test-07-1-other,", "found no test-07-1-mean"),
        ("test-07-1-mean-hidden", "test-07-1-mean-secret", "found no test-07-1-mean-hidden"),
        (":label: ex-07-1-mean", ":label: ex-07-1-other", "found no ex-07-1-mean"),
        ("def mean(numbers):", "class Mean:", "defines no function"),
    ],
)
def test_an_incomplete_exercise_is_an_error(
    sample_course: Path, edit_chapter: Edit, old: str, new: str, reason: str
) -> None:
    edit_chapter(old, new)
    with pytest.raises(CourseError, match=rf"counting.md:\d+: ex-07-1-mean: .*{reason}"):
        exercises(notebooks(sample_course)[0])


def test_the_first_function_is_graded() -> None:
    found = graded_function("x = 1\n\ndef one(): pass\n\ndef two(): pass")
    assert found is not None
    assert found.name == "one"
    assert graded_function("x = 1") is None
