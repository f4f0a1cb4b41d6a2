"""nbgrader's metadata, the markers in solutions and hidden tests, the messages of tests."""

import ast
import re
from collections.abc import Iterator

from llm_course.classroom.author.conventions.chapter import Chapter, tree
from llm_course.classroom.cells import (
    grade_id,
    grading,
    is_hidden_test,
    is_solution,
    is_test,
    line_of,
)
from llm_course.classroom.problems import Problem

_NAME = r"(\d\d)-\d+-[a-z0-9]+(?:-[a-z0-9]+)*"
SOLUTION = {"schema_version": 3, "grade": False, "solution": True, "locked": False, "task": False}
TEST = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False}


def metadata(chapter: Chapter) -> Iterator[Problem]:
    """A graded cell is a solution or a test, with exactly nbgrader's keys of schema 3."""
    for cell in chapter.cells:
        given = cell.metadata.get("nbgrader")
        if given is None:
            continue
        if not isinstance(given, dict) or cell.cell_type != "code":
            yield chapter.problem(cell, "nbgrader", "expected a mapping on a code cell.")
            continue
        expected = SOLUTION if given.get("solution") else TEST
        wrong = [key for key, value in expected.items() if given.get(key) != value]
        extra = sorted(set(given) - set(expected) - {"grade_id", "points"})
        if wrong or extra:
            kind = "solution" if expected is SOLUTION else "test"
            yield chapter.problem(
                cell, "nbgrader", f"not the metadata of a {kind} cell: {', '.join(wrong + extra)}."
            )
        yield from _points(chapter, cell, given)


def unique_ids(chapter: Chapter) -> Iterator[Problem]:
    """Grade ids are unique and have the form ``ex-07-2-name`` or ``test-07-2-name[-hidden]``."""
    seen: set[str] = set()
    for cell in chapter.code:
        if not grading(cell):
            continue
        name, start = grade_id(cell), "ex" if is_solution(cell) else "test"
        form = re.fullmatch(rf"{start}-{_NAME}", name)
        if form is None or form[1] != chapter.number:
            yield chapter.problem(
                cell,
                "grade-id",
                f"expected {start}-{chapter.number}-<number>-<name>, got {name!r}.",
            )
        if name in seen:
            yield chapter.problem(cell, "grade-id", f"{name!r} is used twice. Fix: rename one.")
        seen.add(name)


def solution_cells(chapter: Chapter) -> Iterator[Problem]:
    """A solution keeps the signature and docstring, and marks the rest as the solution."""
    for cell in filter(is_solution, chapter.code):
        if _regions(cell.source, "SOLUTION") != 1:
            yield chapter.problem(
                cell,
                "solution-markers",
                "expected one region ### BEGIN SOLUTION … ### END SOLUTION inside the function.",
            )
        body = tree(cell)
        first = (
            next((n for n in body.body if isinstance(n, ast.FunctionDef)), None) if body else None
        )
        if first is None or not ast.get_docstring(first):
            yield chapter.problem(
                cell, "graded-function", "expected a function with a docstring as graded answer."
            )
        elif cell.source.find("### BEGIN SOLUTION") < cell.source.find(f"def {first.name}("):
            yield chapter.problem(
                cell, "solution-markers", "the signature must stay outside the marked region."
            )


def test_cells(chapter: Chapter) -> Iterator[Problem]:
    """Tests assert, with a message each; hidden ones lie wholly between their markers."""
    for cell in filter(is_test, chapter.code):
        lines = cell.source.strip().split("\n")
        wrapped = "### BEGIN HIDDEN TESTS" in lines[0] and "### END HIDDEN TESTS" in lines[-1]
        regions = _regions(cell.source, "HIDDEN TESTS")
        if is_hidden_test(cell) and not (wrapped and regions == 1):
            yield chapter.problem(
                cell,
                "hidden-markers",
                "the whole cell must stand between the markers ### BEGIN and ### END HIDDEN TESTS.",
            )
        if not is_hidden_test(cell) and regions:
            yield chapter.problem(
                cell, "hidden-markers", "hidden tests belong in the cell whose id ends in -hidden."
            )
        body = tree(cell)
        checks = [node for node in ast.walk(body) if _is_check(node)] if body else []
        if not checks:
            yield chapter.problem(cell, "assert-message", "the test asserts nothing.")
        for node in checks:
            if not _has_message(node):
                line = line_of(cell) + node.lineno - 1
                yield chapter.problem(
                    line,
                    "assert-message",
                    "an assertion without a message. Fix: say what is wrong.",
                )


def tolerances(chapter: Chapter) -> Iterator[Problem]:
    """A comparison that states an absolute tolerance in a hidden test states the relative one too.

    ``allclose`` adds 1e-5 of the value unless told otherwise: a test with ``atol=1e-9`` alone
    would pass what is computed in half the precision.
    """
    for cell in filter(is_hidden_test, chapter.code):
        for node in ast.walk(tree(cell) or ast.Module([], [])):
            named = {keyword.arg for keyword in node.keywords} if isinstance(node, ast.Call) else ()
            if "atol" in named and "rtol" not in named:
                line = line_of(cell) + node.lineno - 1
                fault = "expected rtol beside atol: allclose adds 1e-5 otherwise. Fix: rtol=0"
                yield chapter.problem(line, "tolerance", fault)


def _points(chapter: Chapter, cell, given: dict) -> Iterator[Problem]:
    """A test gives points, a positive whole number; a solution gives none of its own."""
    points = given.get("points")
    whole = isinstance(points, int) and not isinstance(points, bool) and points > 0
    if is_test(cell) and not whole:
        yield chapter.problem(cell, "points", f"expected a positive whole number, got {points!r}.")
    if is_solution(cell) and points is not None:
        yield chapter.problem(cell, "points", "points belong to the tests. Fix: remove them here.")


def _regions(source: str, name: str) -> int:
    """How many well-formed regions of this name the source has; -1 when a marker is alone."""
    begins, ends = source.count(f"### BEGIN {name}"), source.count(f"### END {name}")
    found = re.findall(rf"### BEGIN {name}.*?### END {name}", source, re.DOTALL)
    return len(found) if begins == ends == len(found) else -1


def _is_check(node: ast.AST) -> bool:
    """Whether a node asserts: the statement, or a function named like ``assert_close``."""
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.Assert)
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return name.startswith("assert_")


def _has_message(node: ast.AST) -> bool:
    """Whether a check says what is wrong."""
    if isinstance(node, ast.Assert):
        message = node.msg
    else:
        message = next((k.value for k in node.keywords if k.arg in ("msg", "err_msg")), None)
    return message is not None and not (isinstance(message, ast.Constant) and not message.value)
