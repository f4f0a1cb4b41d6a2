"""How much a notebook asks of its reader."""

from collections.abc import Iterator

from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.statement import statements
from llm_course.classroom.cells import has_tag, is_solution
from llm_course.classroom.problems import Problem

CORE, OPTIONAL, MINUTES = (3, 4), (1, 2), (120, 150)


def counts(chapter: Chapter) -> Iterator[Problem]:
    """3 or 4 core exercises, 1 or 2 optional ones."""
    solutions = [cell for cell in chapter.code if is_solution(cell)]
    optional = sum(has_tag(cell, "optional") for cell in solutions)
    for kind, count, (low, high) in (
        ("core", len(solutions) - optional, CORE),
        ("optional", optional, OPTIONAL),
    ):
        if not low <= count <= high:
            yield chapter.problem(
                1, "exercise-count", f"expected {low} to {high} {kind} exercises, got {count}."
            )


def minutes(chapter: Chapter) -> Iterator[Problem]:
    """120 to 150 minutes, of which the exercises take no more than there are."""
    stated = chapter.front_matter.get("minutes")
    if not isinstance(stated, int):
        return
    low, high = MINUTES
    if not low <= stated <= high:
        yield chapter.problem(
            1, "minutes", f"llm_course.minutes: expected {low} to {high}, got {stated}."
        )
    needed = sum(s.minutes for cell in chapter.markdown for s in statements(cell))
    if needed > stated:
        yield chapter.problem(
            1, "minutes", f"the exercises take {needed} minutes of {stated}. Fix: correct one."
        )
