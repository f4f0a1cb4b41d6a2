import math

import pytest

from llm_course.classroom.grade.marking.report import from_json, to_json
from llm_course.classroom.grade.records.override import (
    Override,
    apply,
    graded_tests,
    problems,
    reason_of,
    without,
)
from llm_course.errors import CourseError


def override(points=3.0, student="ada", exercise="ex-1", chapter="07_attention", reason="Shown."):
    return Override(
        student=student, chapter=chapter, exercise=exercise, points=points, reason=reason
    )


@pytest.fixture
def report(made):
    tests = [made.test("test-1", 1, 1), made.test("test-1-hidden", 0, 4, hidden=True)]
    return made.report("ada", [made.question("ex-1", tests), made.question("ex-2")])


def test_points_change_and_the_maximum_and_the_tests_stay(report):
    (changed,) = apply([report], [override(3.5)])
    question = changed.questions[0]
    assert (question.points, question.max_points) == (3.5, 5)
    assert (changed.points, changed.max_points) == (4.5, 6)
    assert graded_tests(question) == report.questions[0].tests
    assert reason_of(question) == "Shown."
    assert changed.questions[1] == report.questions[1]


@pytest.mark.parametrize("points", [0, 0.25, 1, 5, 7])
def test_any_points_can_be_set(report, points):
    assert apply([report], [override(points)])[0].questions[0].points == points


def test_again_changes_nothing_and_taking_it_back_restores(report):
    once = apply([report], [override()])
    assert apply(once, [override()]) == once
    assert apply(once, []) == without(once) == [report]
    assert apply(once, [override(0, reason="No.")])[0].questions[0].points == 0


def test_the_later_of_two_counts(report):
    (changed,) = apply([report], [override(1), override(2, reason="Second look.")])
    assert changed.questions[0].points == 2
    assert reason_of(changed.questions[0]) == "Second look."


@pytest.mark.parametrize(
    "other", [{"student": "bob"}, {"chapter": "08_blocks"}, {"exercise": "ex-9"}]
)
def test_nobody_elses_exercise_is_touched(report, other):
    assert apply([report], [override(**other)]) == [report]


def test_it_survives_being_stored(report):
    (changed,) = apply([report], [override()])
    assert from_json(to_json(changed)) == changed


@pytest.mark.parametrize("points", [-1, math.nan, math.inf])
def test_points_must_be_a_number_from_zero_up(points):
    with pytest.raises(CourseError, match="override of ex-1 for ada: expected points from 0 up"):
        override(points)


def test_a_reason_is_needed():
    with pytest.raises(CourseError, match="expected a reason, got none"):
        override(reason="  ")


def test_mistaken_overrides_are_named(report):
    given = [override(exercise="ex-9"), override(99), override(5)]
    assert problems([report], given) == [
        "override of ex-9 for ada in 07_attention: no such exercise was graded. "
        "Fix: correct its name.",
        "override of ex-1 for ada in 07_attention: 99 points, and the exercise has 5. "
        "Fix: nothing, if a bonus is meant.",
    ]
