"""Figures say in words what they show, under a name of their own; cards likewise."""

import ast
from collections.abc import Iterator

from llm_course.classroom.author.conventions.chapter import Chapter, tree
from llm_course.classroom.cells import line_of
from llm_course.classroom.problems import Problem

SHORTEST_ALT = 40
# The function, the argument that names what it shows, and how such a name begins.
NAMED = {"show": ("name", "fig"), "card": ("id", "card")}


def alt_texts(chapter: Chapter) -> Iterator[Problem]:
    """Each ``show(`` passes an ``alt=`` of at least 40 characters."""
    for name, call, line in _calls(chapter):
        if name == "show" and _length(_keyword(call, "alt")) < SHORTEST_ALT:
            yield chapter.problem(
                line,
                "alt-text",
                f"show() needs alt= with at least {SHORTEST_ALT} characters. "
                "Fix: state the finding with its number.",
            )


def names(chapter: Chapter) -> Iterator[Problem]:
    """Each figure and card has a literal name, ``fig-07-…`` or ``card-07-…``, used once."""
    seen: set[str] = set()
    for function, call, line in _calls(chapter):
        argument, kind = NAMED[function]
        given, start = _keyword(call, argument), f"{kind}-{chapter.number}-"
        value = given.value if isinstance(given, ast.Constant) else None
        if not isinstance(value, str) or not value.startswith(start):
            yield chapter.problem(
                line,
                "figure-name",
                f"{function}() needs {argument}= with a text like {start}weights.",
            )
        elif value in seen:
            yield chapter.problem(line, "figure-name", f"{value!r} is used twice. Fix: rename one.")
        else:
            seen.add(value)


def _calls(chapter: Chapter) -> Iterator[tuple[str, ast.Call, int]]:
    """Every call that makes a figure or a card, with its line in the chapter."""
    for cell in chapter.code:
        for node in ast.walk(tree(cell) or ast.Pass()):
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and name in NAMED:
                yield name, node, line_of(cell) + node.lineno - 1


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def _length(text: ast.expr | None) -> int:
    """The length of a literal or f-string; a computed field counts as one character.

    A text built elsewhere cannot be measured here; ``show`` measures it when it runs.
    """
    if text is None:
        return 0
    if isinstance(text, ast.Constant):
        return len(str(text.value))
    if isinstance(text, ast.JoinedStr):
        return sum(_length(v) if isinstance(v, ast.Constant) else 1 for v in text.values)
    return SHORTEST_ALT
