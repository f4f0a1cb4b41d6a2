"""nbgrader's metadata, markers and messages."""

from collections.abc import Callable

import pytest

from llm_course.classroom.problems import Problem

Breaks = Callable[[str, str, str, str], None]
Found = Callable[[str, str], list[Problem]]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        (
            "schema_version: 3, grade: false",
            "schema_version: 2, grade: false",
            "nbgrader",
            "schema_version",
        ),
        ("locked: true, points: 1", "locked: false, points: 1", "nbgrader", "locked"),
        ("locked: true, points: 1", "locked: true, colour: red, points: 1", "nbgrader", "colour"),
        ("tags: [predict]", "tags: [predict]\nnbgrader: yes", "nbgrader", "expected a mapping"),
        (
            "    return sum(numbers) / len(numbers)\n    ### END SOLUTION",
            "    return sum(numbers) / len(numbers)",
            "solution-markers",
            "one region",
        ),
        (
            'def mean(numbers):\n    """The mean of a list of numbers."""\n    ### BEGIN SOLUTION',
            '### BEGIN SOLUTION\ndef mean(numbers):\n    """The mean of a list of numbers."""',
            "solution-markers",
            "signature",
        ),
        ('    """The mean of a list of numbers."""\n', "", "graded-function", "docstring"),
        (', "the mean of 1, 2 and 6 is 9 / 3 = 3"', "", "assert-message", "without a message"),
        (
            'assert mean([5]) == 5, "one number is its own mean"',
            'assert mean([5]) == 5, ""',
            "assert-message",
            "without a message",
        ),
        (
            'assert mean([5]) == 5, "one number is its own mean"',
            "math.assert_close(mean([5]), 5)",
            "assert-message",
            "without a message",
        ),
        (
            'assert limit(7, 0, 5) == 5, "7 passes the upper limit 5"',
            "limit(7, 0, 5)",
            "assert-message",
            "asserts nothing",
        ),
        ("### BEGIN HIDDEN TESTS\n", "", "hidden-markers", "whole cell"),
        (
            "### BEGIN HIDDEN TESTS\nassert mean([5])",
            "mean([5])\n### BEGIN HIDDEN TESTS\nassert mean([5])",
            "hidden-markers",
            "whole cell",
        ),
        (
            'is 9 / 3 = 3"\n',
            'is 9 / 3 = 3"\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n',
            "hidden-markers",
            "-hidden",
        ),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("test-07-1-mean-hidden", "test-07-1-mean", "grade-id", "is used twice"),
        ("grade_id: ex-07-1-mean", "grade_id: ex-08-1-mean", "grade-id", "expected ex-07-"),
        ("locked: true, points: 1,", "locked: true, points: 0.5,", "points", "positive whole"),
        (
            "locked: false, solution: true,",
            "locked: false, points: 1, solution: true,",
            "points",
            "remove",
        ),
    ],
)
def test_ids_and_points(problems_after: Found, old: str, new: str, rule: str, message: str) -> None:
    found = [problem for problem in problems_after(old, new) if problem.rule == rule]
    assert any(message in problem.message for problem in found), found


@pytest.mark.parametrize(("options", "told"), [("atol=1e-9", True), ("rtol=0, atol=1e-9", False)])
def test_a_tolerance_is_stated_whole(problems_after: Found, options: str, told: bool) -> None:
    old = "### BEGIN HIDDEN TESTS\n"
    found = problems_after(old, f'{old}assert close(1, 1, {options}), "one is one"\n')
    assert ("tolerance" in {problem.rule for problem in found}) is told
