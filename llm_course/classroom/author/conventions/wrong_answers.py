"""Each exercise has its catalogue of plausible mistakes."""

import ast
from collections.abc import Iterator

from nbformat import NotebookNode

from llm_course.classroom.author.conventions.chapter import Chapter, tree
from llm_course.classroom.cells import grade_id, is_solution
from llm_course.classroom.problems import Problem

FEWEST = 4


def catalogue(chapter: Chapter) -> Iterator[Problem]:
    """At least four public functions with a misconception each, and the graded signature."""
    folder = chapter.notebook.wrong_answers
    for cell in filter(is_solution, chapter.code):
        name = grade_id(cell).replace("-", "_") + ".py"
        path = folder / name
        if not path.is_file():
            yield chapter.problem(
                cell, "wrong-answers", f"no catalogue. Fix: write wrong_answers/{name}."
            )
            continue
        try:
            found = _public(ast.parse(path.read_text(encoding="utf-8")))
        except SyntaxError as error:
            yield chapter.problem(cell, "wrong-answers", f"{name}: {error}")
            continue
        if len(found) < FEWEST:
            yield chapter.problem(
                cell, "wrong-answers", f"{name}: expected {FEWEST} functions, got {len(found)}."
            )
        yield from _functions(chapter, cell, name, found)


def _functions(
    chapter: Chapter, cell: NotebookNode, name: str, found: list[ast.FunctionDef]
) -> Iterator[Problem]:
    """Each wrong answer names its misconception and takes the graded function's arguments."""
    graded = next(iter(_public(tree(cell) or ast.Module([], []))), None)
    for function in found:
        if not ast.get_docstring(function):
            yield chapter.problem(
                cell, "wrong-answers", f"{name}: {function.name} names no misconception."
            )
        if graded and _arguments(function) != _arguments(graded):
            yield chapter.problem(
                cell,
                "wrong-answers",
                f"{name}: {function.name} takes {_arguments(function)}, "
                f"{graded.name} takes {_arguments(graded)}.",
            )


def _public(body: ast.Module) -> list[ast.FunctionDef]:
    """The functions of a module that are not private."""
    functions = [node for node in body.body if isinstance(node, ast.FunctionDef)]
    return [function for function in functions if not function.name.startswith("_")]


def _arguments(function: ast.FunctionDef) -> list[str]:
    """The names of a function's arguments."""
    given = function.args
    return [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
