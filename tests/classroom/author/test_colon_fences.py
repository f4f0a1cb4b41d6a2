"""MyST's colon fences as a tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.classroom.author.colon_fences import Fence, FenceError, fences, parse

EXERCISE = """Before.

::::{exercise} Title
:label: ex-07-1-a
:class: wide

Body
:not: an option

:::{dropdown} Hint
Inside.
:::
::::
After."""


def test_nested_fences_keep_titles_options_and_lines() -> None:
    tree = parse(EXERCISE)
    outer, inner = fences(tree)
    assert (outer.name, outer.title, outer.line, outer.colons) == ("exercise", "Title", 3, 4)
    assert outer.options == {"label": "ex-07-1-a", "class": "wide"}
    assert ":not: an option" in outer.children, "options end at the first other line"
    assert (inner.name, inner.title, inner.line) == ("dropdown", "Hint", 10)
    assert inner.children == ["Inside."]
    assert [node for node in tree if isinstance(node, str)] == ["Before.", "", "After."]


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("text\n:::{note}\nopen", 2, "not closed"),
        ("text\n\n:::", 3, "matches no open fence"),
        ("::::{note}\n:::\n::::", 2, "matches no open fence"),
        (":::{note}\n:::{tip}\n:::\n:::", 2, "fewer than its 3 colons"),
    ],
)
def test_broken_fences_name_their_line(source: str, line: int, message: str) -> None:
    with pytest.raises(FenceError, match=message) as caught:
        parse(source)
    assert caught.value.line == line


def test_code_is_left_alone() -> None:
    source = "```text\n:::{note}\n```"
    assert parse(source) == source.split("\n")


@given(st.lists(st.text(alphabet="ab :{}`$#-", max_size=12), max_size=12))
def test_parsing_loses_no_plain_line(lines: list[str]) -> None:
    source = "\n".join(lines)
    try:
        tree = parse(source)
    except FenceError:
        return
    if not any(isinstance(node, Fence) for node in tree):
        assert "\n".join(tree) == source
