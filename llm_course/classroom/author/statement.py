"""The statement of an exercise: the colon fence, and the line of facts under its label.

``★★ · 20 minutes · 3 points`` says how hard the exercise is, how long it takes and what it gives.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from llm_course.classroom.author import colon_fences
from llm_course.classroom.author.colon_fences import Fence
from llm_course.classroom.cells import line_of

FACTS = re.compile(r"^(?P<stars>★{1,3}) · (?P<minutes>\d+) minutes · (?P<points>\d+) points?$")


@dataclass(frozen=True)
class Statement:
    """What an exercise asks; `stars`, `minutes` and `points` are 0 where it does not say."""

    label: str
    title: str
    stars: int
    minutes: int
    points: int
    hint: bool
    line: int


def statements(cell: NotebookNode) -> Iterator[Statement]:
    """Every exercise that a Markdown cell states.

    >>> text = "::::{exercise} Sum\\n:label: ex-00-1-sum\\n\\n★ · 5 minutes · 2 points\\n::::"
    >>> cell = NotebookNode(source=text, metadata={})
    >>> [(found.label, found.minutes, found.hint) for found in statements(cell)]
    [('ex-00-1-sum', 5, False)]
    """
    for fence in colon_fences.fences(colon_fences.parse(cell.source)):
        if fence.name == "exercise":
            yield _statement(fence, line_of(cell) + fence.line - 1)


def _statement(fence: Fence, line: int) -> Statement:
    """The facts of one ``exercise`` fence."""
    found = [FACTS.match(text.strip()) for text in fence.children if isinstance(text, str)]
    facts = next((match for match in found if match), None)
    return Statement(
        label=fence.options.get("label", ""),
        title=fence.title,
        stars=len(facts["stars"]) if facts else 0,
        minutes=int(facts["minutes"]) if facts else 0,
        points=int(facts["points"]) if facts else 0,
        hint=any(inner.name == "dropdown" for inner in colon_fences.fences(fence.children)),
        line=line,
    )
