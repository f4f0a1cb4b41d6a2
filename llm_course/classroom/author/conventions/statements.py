"""Exercises in the order statement, solution, visible test, hidden test, with their facts."""

import re
from collections.abc import Iterator

from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.author.statement import Statement, statements
from llm_course.classroom.cells import grade_id, grading, has_tag, is_solution, is_test
from llm_course.classroom.problems import Problem

OPTIONAL_STARS = 3


def parts(chapter: Chapter) -> Iterator[Problem]:
    """Each solution follows its statement and is followed by its two tests; none is left over."""
    placed: set[str] = set()
    for index, cell in enumerate(chapter.cells):
        if not is_solution(cell):
            continue
        label = grade_id(cell)
        name = re.sub(r"^ex-", "test-", label)
        before = chapter.cells[index - 1] if index else None
        stated = _labels(before)
        if not stated or stated[-1] != label:
            yield chapter.problem(
                cell,
                "exercise-parts",
                f"expected the statement with :label: {label} right before this cell.",
            )
        after = [grade_id(c) for c in chapter.cells[index + 1 : index + 3]]
        if after != [name, f"{name}-hidden"]:
            yield chapter.problem(
                cell, "exercise-parts", f"expected the tests {name} and {name}-hidden to follow."
            )
        placed |= {label, name, f"{name}-hidden"}
    for cell in chapter.cells:
        for label in _labels(cell) + ([grade_id(cell)] if is_test(cell) else []):
            if label not in placed:
                yield chapter.problem(cell, "exercise-parts", f"{label!r} belongs to no solution.")


def facts(chapter: Chapter) -> Iterator[Problem]:
    """The statement says ★, minutes and points, gives a hint, and its points are its tests'."""
    optional = {grade_id(cell) for cell in chapter.code if has_tag(cell, "optional")}
    for statement in _all(chapter):
        for wrong in _wrong_facts(statement, _points(chapter, statement.label)):
            yield chapter.problem(statement.line, "statement", f"{statement.label}: {wrong}")
        if statement.label in optional and statement.stars != OPTIONAL_STARS:
            yield chapter.problem(
                statement.line, "statement", f"{statement.label}: an optional exercise has ★★★."
            )


def _wrong_facts(statement: Statement, points: int) -> Iterator[str]:
    """What one statement lacks."""
    if not statement.title:
        yield "expected a title after {exercise}."
    if not statement.stars:
        yield "expected a line like ★★ · 20 minutes · 3 points."
    elif statement.points != points:
        yield f"it promises {statement.points} points, its tests give {points}."
    if not statement.hint:
        yield "expected a hint, folded in :::{dropdown} Hint."


def _all(chapter: Chapter) -> Iterator[Statement]:
    """Every statement of the notebook."""
    for cell in chapter.markdown:
        yield from statements(cell)


def _labels(cell) -> list[str]:
    """The labels of the exercises that a cell states."""
    if cell is None or cell.cell_type != "markdown":
        return []
    return [statement.label for statement in statements(cell)]


def _points(chapter: Chapter, label: str) -> int:
    """The sum of the points of an exercise's tests."""
    name = re.sub(r"^ex-", "test-", label)
    return sum(
        int(grading(cell).get("points") or 0)
        for cell in chapter.code
        if grade_id(cell) in (name, f"{name}-hidden")
    )
