"""Which cell of the release a student's cell is, by its grade id or else by what it holds."""

import ast
import re
from difflib import SequenceMatcher
from typing import Literal

from llm_course.classroom.cells import grade_id, is_solution, is_test
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.classroom.grade.marking.read_notebook import Cell

Place = Literal["answer", "added", "test", "released"]
ALIKE = 0.85  # a cell as similar as this to a test cell is that test cell, edited
_MAGIC = re.compile(r"^\s*[%!?].*$", re.MULTILINE)
_DEFINED = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)


class Known:
    """The cells of a release, ready to recognise what a student made of them."""

    def __init__(self, assignment: Assignment) -> None:
        cells = assignment.release.cells
        self.answers = {question.grade_id for question in assignment.questions}
        self.functions = {
            name: question.grade_id
            for question in assignment.questions
            for name in question.functions
        }
        self.tests = {grade_id(cell): cell.source for cell in cells if is_test(cell)}
        self.ids = {grade_id(cell) for cell in cells if grade_id(cell)}
        self.released = {normalised(c.source) for c in cells if not is_solution(c)}
        self.released |= {normalised(source) for source in assignment.setup}

    def place(self, cell: Cell) -> tuple[Place, str]:
        """What a student's cell is, and the grade id of its answer if it is one.

        The metadata decide where they are there; otherwise a cell that defines a graded function
        is an answer, one that is or was nearly a test is a test, one that the release holds
        is nothing new, and all others were added.
        """
        if cell.grade_id in self.answers:
            return "answer", cell.grade_id
        if cell.grade_id in self.ids:
            return ("test" if cell.grade_id in self.tests else "released"), ""
        text = normalised(cell.source)
        if text in self.released:
            return "released", ""
        if cell.kind != "code":
            return "released", ""
        for name in defined(cell.source):
            if name in self.functions:
                return "answer", self.functions[name]
        if any(_alike(text, normalised(source)) for source in self.tests.values()):
            return "test", ""
        return "added", ""


def defined(source: str) -> list[str]:
    """The functions and classes at the top level of a cell, also of one that does not parse.

    >>> defined("%matplotlib inline\\ndef first(): pass")
    ['first']
    >>> defined("def broken(:\\n  pass")
    ['broken']
    """
    try:
        body = ast.parse(_MAGIC.sub("pass", source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _DEFINED.findall(source)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in body if isinstance(node, kinds)]


def normalised(source: str) -> str:
    """A cell's text without what editors change: spaces at line ends, empty lines.

    >>> normalised("a = 1  \\n\\n")
    'a = 1'
    """
    return "\n".join(line.rstrip() for line in source.split("\n") if line.strip())


def _alike(left: str, right: str) -> bool:
    """Whether two texts are nearly the same."""
    if not right or not 0.5 < (len(left) + 1) / (len(right) + 1) < 2:
        return False
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return matcher.quick_ratio() > ALIKE and matcher.ratio() > ALIKE
