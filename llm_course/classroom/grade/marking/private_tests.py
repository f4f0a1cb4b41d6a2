"""An instructor's own hidden tests, kept outside the public repository."""

import ast
import re
from dataclasses import replace
from pathlib import Path

from llm_course.classroom.grade.marking.assignment import Assignment, Question, Test
from llm_course.errors import CourseError


def with_private_tests(given: Assignment, folder: Path) -> Assignment:
    """The assignment with an instructor's own hidden tests.

    ``ex-07-1-scaled-dot-product.py`` in `folder` holds asserts as a hidden test does, and begins
    with its points: ``# points: 2``.

    Raises:
        CourseError: a file names no exercise of the course's form, or no points, or is no Python.
    """
    questions = []
    for question in given.questions:
        path = folder / f"{question.grade_id}.py"
        if path.is_file():
            test = _private_test(question, path)
            question = replace(question, tests=(*question.tests, test))
        questions.append(question)
    return replace(given, questions=tuple(questions))


def _private_test(question: Question, path: Path) -> Test:
    """The test in an instructor's file."""
    source = path.read_text(encoding="utf-8")
    points = re.match(r"# points: (\d+(?:\.\d+)?)\s*$", source.partition("\n")[0])
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise CourseError(
            f"{path}:{error.lineno}: expected Python, got {error.msg}. Fix: mend that line"
        ) from error
    if points is None:
        raise CourseError(f"{path}: expected '# points: 2' in the first line. Fix: begin so")
    name = question.grade_id.replace("ex-", "test-", 1) + "-private"
    return Test(grade_id=name, points=float(points[1]), source=source, hidden=True)
