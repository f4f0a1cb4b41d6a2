"""How much a notebook asks."""

from collections.abc import Callable

import pytest

from llm_course.classroom.problems import Problem

Breaks = Callable[[str, str, str, str], None]
Found = Callable[[str, str], list[Problem]]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("★ · 20 minutes", "★ · 21 minutes", "minutes", "the exercises take 121 minutes of 120"),
        (
            "---\ntags: [optional]\nnbgrader",
            "---\nnbgrader",
            "exercise-count",
            "optional exercises, got 0",
        ),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)


@pytest.mark.parametrize("minutes", [119, 151])
def test_total_minutes(problems_after: Found, minutes: int) -> None:
    found = problems_after("  minutes: 120", f"  minutes: {minutes}")
    assert f"expected 120 to 150, got {minutes}" in " ".join(p.message for p in found)


def test_too_few_core_exercises(problems_after: Found) -> None:
    found = problems_after(
        "nbgrader: {schema_version: 3, grade: false, grade_id: ex-07-3",
        "tags: [optional]\nnbgrader: {schema_version: 3, grade: false, grade_id: ex-07-3",
    )
    counts = [problem.message for problem in found if problem.rule == "exercise-count"]
    assert counts == ["expected 3 to 4 core exercises, got 2."]


def test_a_short_notebook_has_one_exercise_and_less_time(problems_after: Found) -> None:
    found = problems_after("  minutes: 120", "  minutes: 91\n  short: true")
    told = " ".join(problem.message for problem in found)
    assert "expected 30 to 90, got 91" in told
    assert "expected 1 to 1 core exercises, got 3" in told
    assert "expected 0 to 0 optional exercises, got 1" in told
