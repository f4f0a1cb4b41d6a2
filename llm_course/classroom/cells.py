"""What a notebook cell is, read from its metadata."""

from typing import Any

from nbformat import NotebookNode


def line_of(cell: NotebookNode) -> int:
    """The line of the chapter where `cell` begins, 1 when it is not known.

    >>> line_of(NotebookNode(metadata={"llm_course": {"line": 12}}))
    12
    """
    return int(cell.metadata.get("llm_course", {}).get("line", 1))


def grading(cell: NotebookNode) -> dict[str, Any]:
    """The cell's nbgrader metadata, empty when it has none.

    >>> grading(NotebookNode(metadata={}))
    {}
    """
    found = cell.metadata.get("nbgrader")
    return found if isinstance(found, dict) else {}


def grade_id(cell: NotebookNode) -> str:
    """The cell's grade id, empty when it has none."""
    return str(grading(cell).get("grade_id", ""))


def is_solution(cell: NotebookNode) -> bool:
    """Whether the cell holds an answer to an exercise."""
    return bool(grading(cell).get("solution"))


def is_test(cell: NotebookNode) -> bool:
    """Whether the cell holds tests that give points."""
    return bool(grading(cell).get("grade")) and not is_solution(cell)


def is_hidden_test(cell: NotebookNode) -> bool:
    """Whether the cell's tests are withheld from the release."""
    return is_test(cell) and grade_id(cell).endswith("-hidden")


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Whether the cell carries `tag`.

    >>> has_tag(NotebookNode(metadata={"tags": ["predict"]}), "predict")
    True
    """
    return tag in (cell.metadata.get("tags") or [])
