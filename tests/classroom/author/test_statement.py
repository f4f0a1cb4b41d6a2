"""The facts of an exercise's statement."""

import nbformat

from llm_course.classroom.author.statement import statements

TEXT = """Some prose.

::::{exercise} A title
:label: ex-07-1-a

★★ · 20 minutes · 1 point

:::{dropdown} Hint
Think.
:::
::::"""


def _cell(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(text, metadata={"llm_course": {"line": 10}})


def test_all_facts_are_read() -> None:
    (found,) = statements(_cell(TEXT))
    assert (found.label, found.title, found.line) == ("ex-07-1-a", "A title", 12)
    assert (found.stars, found.minutes, found.points, found.hint) == (2, 20, 1, True)


def test_missing_facts_are_zero() -> None:
    (found,) = statements(_cell("::::{exercise}\nNothing said.\n::::"))
    assert (found.label, found.title, found.stars, found.minutes, found.points) == ("", "", 0, 0, 0)
    assert not found.hint


def test_a_cell_without_exercise_states_nothing() -> None:
    assert list(statements(_cell("★★ · 20 minutes · 1 point"))) == []
