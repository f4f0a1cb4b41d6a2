"""The two assignments that submissions are tried on, and students who do well."""

import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from llm_course.classroom.course import notebooks
from llm_course.classroom.grade.marking.assignment import Assignment, of_chapter, of_nbgrader

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"
DEMO = CASES / "assignment"
WITHHELD = {"sol_softmax": ["llm_mini.softmax"]}


@pytest.fixture(scope="session")
def demo() -> Assignment:
    """The tiny assignment of the cases."""
    sys.path.insert(0, str(DEMO))
    return of_nbgrader(
        "ps1",
        DEMO / "source.ipynb",
        DEMO / "release.ipynb",
        helpers=[DEMO / "llm_mini.py"],
        withheld=WITHHELD,
    )


@pytest.fixture(scope="session")
def chapter() -> Assignment:
    """A real chapter."""
    return of_chapter(ROOT, notebooks(ROOT, ["self_attention"])[0])


@pytest.fixture(scope="session")
def submit() -> Callable[..., bytes]:
    """A submission: the release with its solutions, changed answers, and cells before the rest."""

    def submit(
        assignment: Assignment, *extra: str, change: Callable[[NotebookNode], None] | None = None,
        **answers: str,
    ) -> bytes:  # fmt: skip
        found = nbformat.from_dict(assignment.release.copy())
        given = {q.grade_id: q.solution for q in assignment.questions}
        given |= {name.replace("__", "-"): source for name, source in answers.items()}
        for cell in found.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = given.get(name, cell.source)
        first = next(i for i, c in enumerate(found.cells) if c.cell_type == "code")
        found.cells[first + 1 : first + 1] = [nbformat.v4.new_code_cell(code) for code in extra]
        if change:
            change(found)
        return nbformat.writes(found).encode()

    return submit
