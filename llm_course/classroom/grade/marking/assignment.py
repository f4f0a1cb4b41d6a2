"""What a notebook asks and how it is tested, as the grader needs it.

It is read from the course's own sources, never from a submission. `of_chapter` reads an authored
chapter; `of_nbgrader` reads a source and a release that nbgrader made, from anywhere.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from llm_course.classroom.author import chapter_text
from llm_course.classroom.author.statement import statements
from llm_course.classroom.cells import grade_id, grading, has_tag, is_solution, is_test
from llm_course.classroom.course import Notebook
from llm_course.classroom.grade.walls.withheld_names import withheld_names
from llm_course.errors import CourseError

HIDDEN = re.compile(r"^ *### BEGIN HIDDEN TESTS *$.*?^ *### END HIDDEN TESTS *$\n?", re.M | re.S)


@dataclass(frozen=True, kw_only=True)
class Test:
    """One test cell: its grade id, its points, its code, and whether students see all of it."""

    __test__ = False  # pytest takes classes of this name for tests

    grade_id: str
    points: float
    source: str
    hidden: bool

    @property
    def visible_part(self) -> str:
        """The code without what stands between the marks of hidden tests."""
        return HIDDEN.sub("", self.source)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One exercise: the answer's grade id, the functions that it defines, and its tests."""

    grade_id: str
    title: str
    functions: tuple[str, ...]
    solution: str
    stub: str
    tests: tuple[Test, ...]
    optional: bool = False
    withheld: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """All points of the question."""
        return sum(test.points for test in self.tests)


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One notebook to grade.

    Attributes:
        chapter: the nbgrader assignment, ``07_attention``.
        name: the notebook's name without suffix.
        title: what readers call it.
        version: the version that releases carry, "" when they carry none.
        setup: the sources of the locked set-up cells, in order (parameters, imports).
        questions: in the order of the notebook.
        release: the released notebook's cells.
        helpers: folders with modules that the notebook imports, beside the package.
    """

    chapter: str
    name: str
    title: str
    version: str
    setup: tuple[str, ...]
    questions: tuple[Question, ...]
    release: NotebookNode
    helpers: tuple[Path, ...] = ()
    wrong_answers: Mapping[str, Path] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Chapter and name, as commands and messages write it."""
        return f"{self.chapter}/{self.name}"

    @property
    def points(self) -> float:
        """All points of the notebook, optional questions included."""
        return sum(question.points for question in self.questions)


def of_chapter(root: Path, notebook: Notebook) -> Assignment:
    """The assignment that an authored chapter makes.

    Raises:
        CourseError: the chapter or its release cannot be read, or ``withheld.yml`` names an
            unknown exercise.
    """
    path = root / "notebooks" / f"{notebook.key}.ipynb"
    source, release = chapter_text.read(notebook), _notebook(path)
    stamp = release.metadata.get("llm_course", {})
    withheld = withheld_names(notebook)
    questions = _questions(source, release, withheld)
    return Assignment(
        chapter=notebook.chapter,
        name=notebook.name,
        title=str(source.metadata["llm_course"].get("title", notebook.name)),
        version=str(stamp.get("version", "")),
        setup=_setup(source),
        questions=questions,
        release=release,
        wrong_answers={
            q.grade_id: notebook.wrong_answers / f"{q.grade_id.replace('-', '_')}.py"
            for q in questions
        },
    )


def of_nbgrader(
    chapter: str,
    source: Path,
    release: Path,
    *,
    helpers: Sequence[Path] = (),
    withheld: Mapping[str, Sequence[str]] | None = None,
) -> Assignment:
    """The assignment that a source notebook with nbgrader's metadata makes."""
    written, released = _notebook(source), _notebook(release)
    return Assignment(
        chapter=chapter,
        name=release.stem,
        title=release.stem,
        version=str(released.metadata.get("llm_course", {}).get("version", "")),
        setup=_setup(written),
        questions=_questions(written, released, withheld or {}),
        release=released,
        helpers=tuple(helpers),
    )


def defined_names(source: str) -> tuple[str, ...]:
    """The functions and classes that a cell defines at its top level.

    >>> defined_names("import math\\ndef first(): pass\\nclass Second: pass")
    ('first', 'Second')
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return ()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return tuple(node.name for node in body if isinstance(node, kinds))


def _setup(notebook: NotebookNode) -> tuple[str, ...]:
    """The locked cells that every answer may build on: parameters, imports, nbgrader's own."""
    return tuple(
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code"
        and (
            has_tag(cell, "parameters")
            or has_tag(cell, "imports")
            or (grade_id(cell) and not is_solution(cell) and not is_test(cell))
        )
    )


def _questions(
    notebook: NotebookNode, release: NotebookNode, withheld: Mapping[str, Sequence[str]]
) -> tuple[Question, ...]:
    """Each solution cell with the test cells that follow it."""
    titles = {
        statement.label: statement.title
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for statement in statements(cell)
    }
    stubs = {grade_id(cell): cell.source for cell in release.cells if is_solution(cell)}
    found: list[tuple[NotebookNode, list[Test]]] = []
    for cell in notebook.cells:
        if is_solution(cell):
            found.append((cell, []))
        elif is_test(cell) and found:
            found[-1][1].append(
                Test(
                    grade_id=grade_id(cell),
                    points=float(grading(cell).get("points", 0)),
                    source=cell.source,
                    hidden="### BEGIN HIDDEN TESTS" in cell.source,
                )
            )
    return tuple(
        Question(
            grade_id=(name := grade_id(cell)),
            title=titles.get(name, name),
            functions=defined_names(cell.source),
            solution=cell.source,
            stub=stubs.get(name, ""),
            tests=tuple(tests),
            optional=has_tag(cell, "optional"),
            withheld=tuple(withheld.get(name, ())),
        )
        for cell, tests in found
    )


def _notebook(path: Path) -> NotebookNode:
    """A notebook of the course."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{path}: expected a released notebook, got {type(error).__name__}. Fix: make release"
        ) from error
