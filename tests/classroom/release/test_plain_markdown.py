"""MyST as plain Jupyter Markdown."""

import nbformat
import pytest
from markdown_it import MarkdownIt

from llm_course.classroom.author.references import Reference
from llm_course.classroom.release.plain_markdown import Names, collect, plain

NAMES = Names(
    labels={"top": "The top", "ex-07-2-a": "Exercise 7.2"},
    equations={"mean": 1},
    references={
        "a2017": Reference("Ada et al.", "2017", "https://example.org/a"),
        "b2018": Reference("Bell", "2018", ""),
    },
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("As {cite:t}`a2017` said.", "As [Ada et al. (2017)](https://example.org/a) said."),
        (
            "Known {cite:p}`a2017, b2018`.",
            "Known ([Ada et al., 2017](https://example.org/a); Bell, 2018).",
        ),
        ("See {ref}`top`.", "See The top."),
        ("See {ref}`the summit <top>`.", "See the summit."),
        ("See {numref}`fig-07-head-maps`.", "See the figure “head maps”."),
        ("See {numref}`Figure %s <fig-07-head-maps>`.", "See Figure."),
        ("See {ref}`ex-07-2-a`.", "See Exercise 7.2."),
        ("By {eq}`mean`.", "By (1)."),
        ("In {doc}`../03_data/tokens`.", "In “tokens”."),
        ("Cited {cite:t}`unknown`.", "Cited unknown."),
        ("(top)=\n# The top", "# The top"),
        ("$$\na = b\n$$ (mean)", "$$\na = b \\tag{1}\n$$"),
        ("$\\{a\\}`b`$ and $$x_{i}$$", "$\\{a\\}`b`$ and $$x_{i}$$"),
        (":::{note}\nWords.\n:::", "> **Note**\n>\n> Words."),
        (":::{warning} Heat\nA\n\nB\n:::", "> **Warning: Heat**\n>\n> A\n>\n> B"),
        (":::{admonition} Own title\nA\n:::", "> **Own title**\n>\n> A"),
        ("```text\n{ref}`top`\n```", "```text\n{ref}`top`\n```"),
    ],
)
def test_constructs(source: str, expected: str) -> None:
    assert plain(source, NAMES) == expected


def test_an_exercise_is_a_heading_with_its_facts_and_a_folded_hint() -> None:
    source = (
        "::::{exercise} Totals\n:label: ex-07-2-a\n\n★ · 5 minutes · 2 points\n\n"
        "Say {ref}`top`.\n\n:::{dropdown} Hint\nThink.\n:::\n::::"
    )
    assert plain(source, NAMES) == (
        "### Exercise 7.2: Totals\n\n★ · 5 minutes · 2 points\n\nSay The top.\n\n"
        "<details>\n<summary>Hint</summary>\n\nThink.\n\n</details>"
    )


def test_folded_markdown_is_rendered() -> None:
    html = MarkdownIt().render(plain(":::{dropdown} Hint\nTry **this**.\n:::", NAMES))
    assert "<strong>this</strong>" in html, "blank lines inside <details> keep it Markdown"


def test_names_are_collected_in_order() -> None:
    cells = [
        nbformat.v4.new_markdown_cell(
            "(one)=\n\n## First\n\n$$\nx\n$$ (e-one)\n\n$$\ny\n$$ (e-two)"
        ),
        nbformat.v4.new_code_cell("(two)="),
        nbformat.v4.new_markdown_cell("::::{exercise} T\n:label: ex-07-3-b\n::::"),
    ]
    found = collect(cells, {})
    assert found.labels == {"one": "First", "ex-07-3-b": "Exercise 7.3"}
    assert found.equations == {"e-one": 1, "e-two": 2}
