"""Reading a cell's metadata."""

import nbformat
import pytest

from llm_course.classroom import cells


def _cell(**metadata: object) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell("pass", metadata=metadata)


SOLUTION = _cell(nbgrader={"grade_id": "ex-07-1-mean", "solution": True, "grade": False})
VISIBLE = _cell(nbgrader={"grade_id": "test-07-1-mean", "solution": False, "grade": True})
HIDDEN = _cell(nbgrader={"grade_id": "test-07-1-mean-hidden", "solution": False, "grade": True})
PLAIN = _cell()


@pytest.mark.parametrize(
    ("cell", "solution", "test", "hidden"),
    [
        (SOLUTION, True, False, False),
        (VISIBLE, False, True, False),
        (HIDDEN, False, True, True),
        (PLAIN, False, False, False),
    ],
)
def test_roles(cell: nbformat.NotebookNode, solution: bool, test: bool, hidden: bool) -> None:
    roles = (cells.is_solution(cell), cells.is_test(cell), cells.is_hidden_test(cell))
    assert roles == (solution, test, hidden)


def test_absent_metadata_is_empty() -> None:
    assert cells.line_of(PLAIN) == 1
    assert cells.grade_id(PLAIN) == ""
    broken = nbformat.NotebookNode(metadata={"nbgrader": "broken", "tags": None})
    assert cells.grading(broken) == {}
    assert not cells.has_tag(broken, "predict")
    assert not cells.has_tag(_cell(), "predict")
