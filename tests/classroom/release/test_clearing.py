"""nbgrader's clearing steps with the course's words."""

import nbformat
import pytest

from llm_course.classroom.release.clearing import LabelledStubs, NoticedHiddenTests
from llm_course.classroom.release.stubs import HIDDEN_NOTICE, stub_of

SOLUTION = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
HIDDEN = '### BEGIN HIDDEN TESTS\nassert f() == 1, "one"\n### END HIDDEN TESTS'


def _cell(source: str, *, solution: bool) -> nbformat.NotebookNode:
    grading = {"grade_id": "ex-07-1-f", "solution": solution, "grade": not solution}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": grading})


def test_nbgrader_leaves_the_stub_that_the_harness_runs() -> None:
    cell, _ = LabelledStubs().preprocess_cell(
        _cell(SOLUTION, solution=True), {"language": "python"}, 0
    )
    assert cell.source == stub_of(SOLUTION, "ex-07-1-f")


def test_an_emptied_test_says_what_will_stand_there() -> None:
    cell, _ = NoticedHiddenTests().preprocess_cell(_cell(HIDDEN, solution=False), {}, 0)
    assert cell.source == HIDDEN_NOTICE


@pytest.mark.parametrize("source", ["", "f()", f"f()\n{HIDDEN}"])
def test_other_cells_get_no_notice(source: str) -> None:
    cell, _ = NoticedHiddenTests().preprocess_cell(_cell(source, solution=False), {}, 0)
    assert HIDDEN_NOTICE not in cell.source
    assert "assert" not in cell.source
