"""How much a notebook asks of its reader."""

from collections.abc import Iterator

from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.statement import statements
from llm_course.classroom.cells import has_tag, is_solution
from llm_course.classroom.problems import Problem

CORE, OPTIONAL, MINUTES = (3, 4), (1, 2), (120, 150)
SHORT_CORE, SHORT_OPTIONAL, SHORT_MINUTES = (1, 1), (0, 0), (30, 90)
"""Of a notebook that comes before the agenda or between chapters: ``short: true`` in its YAML."""


def _is_short(chapter: Chapter) -> bool:
    return chapter.front_matter.get("short") is True


def counts(chapter: Chapter) -> Iterator[Problem]:
    """3 or 4 core exercises, 1 or 2 optional ones; a short notebook has a single one."""
    core_range, optional_range = (
        (SHORT_CORE, SHORT_OPTIONAL) if _is_short(chapter) else (CORE, OPTIONAL)
    )
    solutions = [cell for cell in chapter.code if is_solution(cell)]
    optional = sum(has_tag(cell, "optional") for cell in solutions)
    for kind, count, (low, high) in (
        ("core", len(solutions) - optional, core_range),
        ("optional", optional, optional_range),
    ):
        if not low <= count <= high:
            yield chapter.problem(
                1, "exercise-count", f"expected {low} to {high} {kind} exercises, got {count}."
            )


def minutes(chapter: Chapter) -> Iterator[Problem]:
    """120 to 150 minutes, 30 to 90 if short; the exercises take no more than there are."""
    stated = chapter.front_matter.get("minutes")
    if not isinstance(stated, int):
        return
    low, high = SHORT_MINUTES if _is_short(chapter) else MINUTES
    if not low <= stated <= high:
        yield chapter.problem(
            1, "minutes", f"llm_course.minutes: expected {low} to {high}, got {stated}."
        )
    needed = sum(s.minutes for cell in chapter.markdown for s in statements(cell))
    if needed > stated:
        yield chapter.problem(
            1, "minutes", f"the exercises take {needed} minutes of {stated}. Fix: correct one."
        )
