"""How far an answer is, from its cell."""

import nbformat
import pytest
from nbgrader.utils import compute_checksum

from llm_course.classroom.grade.student.answer_state import as_released, state_of

STUB = """def f(x):
    '''Twice x.'''
    raise NotImplementedError("ex-00-1-f: write your answer here")"""


def cell(source: str, released: str | None = STUB) -> nbformat.NotebookNode:
    """A solution cell that was released with `released` and now holds `source`."""
    grading = {"grade_id": "ex-00-1-f", "solution": True, "grade": False, "locked": False}
    made = nbformat.v4.new_code_cell(released or "", metadata={"nbgrader": grading})
    made.metadata.nbgrader["schema_version"] = 3
    made.metadata.nbgrader["cell_type"] = "code"
    if released is not None:
        made.metadata.nbgrader["checksum"] = compute_checksum(made)
    made.source = source
    return made


@pytest.mark.parametrize(
    ("source", "state"),
    [
        (STUB, "open"),
        ("", "open"),
        ("  \n\n", "open"),
        (STUB.replace("Twice x.", "My own words."), "open"),
        (STUB + "\n\n\ndef helper():\n    return 1", "begun"),
        (STUB.replace("raise", "y = 2\n    raise"), "begun"),
        ("def f(x):\n    return (2 * x", "begun"),
        ("def f(x):\n    return 2 * x", "answered"),
        ("def f(x):\n    raise NotImplementedError", "answered"),
        ("%time 1\ndef f(x):\n    return 2 * x", "answered"),
        ("f = lambda x: 2 * x", "answered"),
        ("# raise NotImplementedError later", "answered"),
    ],
)
def test_states(source: str, state: str) -> None:
    assert state_of(cell(source)) == state
    assert state_of(cell(source, released=None)) == state, "without nbgrader's checksum"


def test_a_released_answer_of_any_form_is_open() -> None:
    other = "def f(x):\n    ...  # your answer"
    assert state_of(cell(other, released=other)) == "open"
    assert state_of(cell(other)) == "answered"


def test_the_checksum_tells_what_was_released() -> None:
    assert as_released(cell(STUB))
    assert not as_released(cell(STUB + "\n"))
    assert not as_released(cell(STUB, released=None))
    broken = cell(STUB)
    del broken.metadata.nbgrader["grade_id"]
    assert not as_released(broken)
