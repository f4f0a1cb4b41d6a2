"""Exercises in order, with their facts."""

from collections.abc import Callable

import pytest

from llm_course.classroom.problems import Problem

Breaks = Callable[[str, str, str, str], None]
Found = Callable[[str, str], list[Problem]]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        (
            "★★ · 30 minutes · 2 points",
            "★★ · 30 minutes · 3 points",
            "statement",
            "promises 3 points, its tests give 2",
        ),
        ("★★★ · 40 minutes", "★★ · 40 minutes", "statement", "an optional exercise has ★★★"),
        ("::::{exercise} Limits", "::::{exercise}", "statement", "a title"),
        (
            ":::{dropdown} Hint\nTwo comparisons, or ``min`` and ``max``.\n:::",
            "No hint.",
            "statement",
            "a hint",
        ),
        ("★★ · 30 minutes · 3 points", "half an hour", "statement", "a line like"),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)


def test_a_wrong_label_leaves_both_sides_alone(problems_after: Found) -> None:
    found = problems_after(":label: ex-07-1-mean", ":label: ex-07-1-middle")
    messages = " ".join(problem.message for problem in found if problem.rule == "exercise-parts")
    assert "the statement with :label: ex-07-1-mean" in messages
    assert "'ex-07-1-middle' belongs to no solution" in messages


def test_a_cell_between_the_parts(problems_after: Found) -> None:
    found = problems_after(
        "```\n\n```{code-cell} ipython3\n---\nnbgrader: {schema_version: 3, grade: true, "
        "grade_id: test-07-1-mean,",
        "```\n\nIn between.\n\n```{code-cell} ipython3\n---\nnbgrader: {schema_version: 3, "
        "grade: true, grade_id: test-07-1-mean,",
    )
    assert [problem.rule for problem in found] == ["exercise-parts"]
    assert "test-07-1-mean and test-07-1-mean-hidden to follow" in found[0].message
