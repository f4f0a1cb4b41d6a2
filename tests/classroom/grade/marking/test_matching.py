"""A student's cell is recognised by its metadata, else by what it holds."""

from pathlib import Path

import pytest

from llm_course.classroom.grade.marking.assignment import of_nbgrader
from llm_course.classroom.grade.marking.matching import Known, defined
from llm_course.classroom.grade.marking.read_notebook import Cell

DEMO = Path(__file__).parents[3] / "grading" / "cases" / "assignment"
KNOWN = Known(of_nbgrader("ps1", DEMO / "source.ipynb", DEMO / "release.ipynb"))
TEST = KNOWN.tests["test_visible"]


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        (Cell("code", "sol_softmax", "anything"), ("answer", "sol_softmax")),
        (Cell("code", "", "def softmax(x): pass"), ("answer", "sol_softmax")),
        (Cell("code", "gone", "def top_pair(x): pass"), ("answer", "sol_pair")),
        (Cell("code", "", "%timeit 1\ndef softmax(x): pass"), ("answer", "sol_softmax")),
        (Cell("code", "", "def softmax(x:\n  broken"), ("answer", "sol_softmax")),
        (Cell("code", "test_visible", "pass"), ("test", "")),
        (Cell("code", "", TEST), ("released", "")),
        (Cell("code", "", TEST.replace("0.09003057", "0.0900306")), ("test", "")),
        (Cell("code", "setup", "import evil"), ("released", "")),
        (Cell("code", "", "import numpy as np\nimport llm_mini\n"), ("released", "")),
        (Cell("code", "", "my_own = 1"), ("added", "")),
        (Cell("markdown", "", "my notes"), ("released", "")),
        (Cell("markdown", "sol_softmax", "def softmax"), ("answer", "sol_softmax")),
    ],
)
def test_places(cell, place):
    assert KNOWN.place(cell) == place


def test_names_inside_other_definitions_do_not_count():
    assert defined("class A:\n    def softmax(self): pass\nif True:\n    def top(): pass") == ["A"]
