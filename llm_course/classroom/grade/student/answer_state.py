"""How far an answer is, read from its cell alone: still the stub, begun, or written."""

import ast
import re
from typing import Literal

from nbformat import NotebookNode

from llm_course.classroom.cells import grading

State = Literal["open", "begun", "answered"]

_STUB = re.compile(r"^[ \t]*raise NotImplementedError\(.*write your answer here.*\)", re.MULTILINE)


def state_of(cell: NotebookNode) -> State:
    """Whether an answer's cell is as released, changed but with its stub, or without it.

    >>> def state(source):
    ...     return state_of(NotebookNode(cell_type="code", source=source, metadata={}))
    >>> state('def f():\\n    raise NotImplementedError("ex-00-1-f: write your answer here")')
    'open'
    >>> state('def f():\\n    x = 1\\n    raise NotImplementedError("ex: write your answer here")')
    'begun'
    >>> state("def f():\\n    return 1")
    'answered'
    """
    if not cell.source.strip() or as_released(cell) or _only_stubs(cell.source):
        return "open"
    if _STUB.search(cell.source) or not _parses(cell.source):
        return "begun"
    return "answered"


def as_released(cell: NotebookNode) -> bool:
    """Whether the cell carries nbgrader's checksum of a released cell, and it still fits."""
    from nbgrader.utils import compute_checksum

    checksum = grading(cell).get("checksum")
    try:
        return bool(checksum) and checksum == compute_checksum(cell)
    except (KeyError, AttributeError):  # half of the metadata is lost
        return False


def _only_stubs(source: str) -> bool:
    """Whether nothing but functions that hold their stub is left of a cell."""
    if not _STUB.search(source) or not _parses(source):
        return False
    body = ast.parse(source).body
    return all(isinstance(node, ast.FunctionDef) and _is_stub(node) for node in body)


def _is_stub(function: ast.FunctionDef) -> bool:
    """Whether a function is its docstring and a `raise`."""
    *before, last = function.body
    documented = bool(before) and ast.get_docstring(function) is not None
    return isinstance(last, ast.Raise) and len(before) == int(documented)


def _parses(source: str) -> bool:
    """Whether Python takes this as code; lines for Jupyter alone are left out."""
    try:
        ast.parse(re.sub(r"^[ \t]*[%!].*$", "", source, flags=re.MULTILINE))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
