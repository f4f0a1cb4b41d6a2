"""An authored cell's MyST as the Markdown that plain Jupyter shows well.

Exercises become headings, admonitions quotations, dropdowns ``<details>``; citations become
links, cross references text. Formulas stay as they are, but for the tag that shows the number of
a labelled equation. Leaves out what the author's check refuses: other directives and roles.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from nbformat import NotebookNode

from llm_course.classroom.author import colon_fences
from llm_course.classroom.author.colon_fences import Fence
from llm_course.classroom.author.references import Reference

_TARGET = re.compile(r"^\(([\w-]+)\)=\s*$")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$")
_ROLE = re.compile(r"\{(cite:p|cite:t|ref|numref|eq|doc)\}`([^`]+)`")
_TITLED = re.compile(r"^(.*?)\s*<([^<>]+)>$", re.DOTALL)
_EQUATION = re.compile(r"\s*\$\$[ \t]*\(([\w-]+)\)[ \t]*$", re.MULTILINE)
_LABEL = re.compile(r"ex-(\d\d)-(\d+)-")
_CODE_BLOCK = re.compile(
    r"(^[ \t]*(?:```|~~~).*?^[ \t]*(?:```|~~~)[ \t]*$)", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Names:
    """What the labels of a notebook stand for, and the works it may cite."""

    labels: dict[str, str] = field(default_factory=dict)
    equations: dict[str, int] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)


def collect(cells: Sequence[NotebookNode], references: dict[str, Reference]) -> Names:
    """The names that the Markdown cells of a notebook define."""
    labels: dict[str, str] = {}
    equations: dict[str, int] = {}
    for cell in cells:
        if cell.cell_type != "markdown":
            continue
        lines = [line for line in cell.source.split("\n") if line.strip()]
        for line, following in pairwise(lines):
            target, heading = _TARGET.match(line), _HEADING.match(following)
            if target and heading:
                labels[target[1]] = heading[1]
        for fence in colon_fences.fences(colon_fences.parse(cell.source)):
            if label := fence.options.get("label"):
                labels[label] = _numbered(label)
        for label in _EQUATION.findall(cell.source):
            equations.setdefault(label, len(equations) + 1)
    return Names(labels, equations, references)


def plain(source: str, names: Names) -> str:
    """Rewrite one cell's Markdown.

    >>> print(plain("(top)=\\n:::{tip}\\nSee {ref}`the top <top>`.\\n:::", Names()))
    > **Tip**
    >
    > See the top.
    """
    text = _rendered(colon_fences.parse(source))
    pieces = _CODE_BLOCK.split(text)
    pieces[::2] = [_inline(piece, names) for piece in pieces[::2]]
    return re.sub(r"\n{3,}", "\n\n", "".join(pieces)).strip()


def _rendered(tree: Sequence[str | Fence]) -> str:
    """A tree of lines and fences as Markdown."""
    blocks = []
    for node in tree:
        if isinstance(node, str):
            if not _TARGET.match(node):
                blocks.append(node)
        else:
            blocks += ["", _block(node), ""]
    return "\n".join(blocks)


def _block(fence: Fence) -> str:
    """One fence in Jupyter's own terms."""
    body = re.sub(r"\n{3,}", "\n\n", _rendered(fence.children)).strip()
    if fence.name == "exercise":
        return f"### {_numbered(fence.options.get('label', ''))}: {fence.title}\n\n{body}"
    if fence.name == "dropdown":
        title = fence.title or "More"
        return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"
    title = fence.name.capitalize()
    if fence.title:
        title = fence.title if fence.name == "admonition" else f"{title}: {fence.title}"
    lines = [f"**{title}**", "", *body.split("\n")]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _inline(text: str, names: Names) -> str:
    """Roles as text, and the numbers of equations beside them."""

    def tagged(found: re.Match[str]) -> str:
        return f" \\tag{{{names.equations.get(found[1], found[1])}}}\n$$"

    def role(found: re.Match[str]) -> str:
        return _role(found[1], " ".join(found[2].split()), names)

    return _ROLE.sub(role, _EQUATION.sub(tagged, text))


def _role(role: str, content: str, names: Names) -> str:
    """One role as plain Markdown."""
    if role.startswith("cite"):
        keys = [key.strip() for key in content.split(",")]
        cited = [_citation(key, names.references.get(key), role) for key in keys]
        return f"({'; '.join(cited)})" if role == "cite:p" else ", ".join(cited)
    if role == "eq":
        return f"({names.equations.get(content, content)})"
    titled = _TITLED.match(content)
    if titled and titled[1]:
        return re.sub(r"\s*%s|\s*\{number\}", "", titled[1])
    return names.labels.get(content) or _humanised(content)


def _citation(key: str, work: Reference | None, role: str) -> str:
    """A work as a link: ``Pearson (1895)`` in a sentence, ``Pearson, 1895`` in brackets."""
    if work is None:
        return key
    text = f"{work.authors} ({work.year})" if role == "cite:t" else f"{work.authors}, {work.year}"
    return f"[{text}]({work.url})" if work.url else text


def _numbered(label: str) -> str:
    """``Exercise 7.2`` for the label ``ex-07-2-…``."""
    found = _LABEL.match(label)
    return f"Exercise {int(found[1])}.{found[2]}" if found else "Exercise"


def _humanised(label: str) -> str:
    """A label from elsewhere in the book, in words: ``fig-07-head-maps`` is “head maps”."""
    words = re.sub(r"^(?:fig|tab|sec|eq)-|\d+-", "", label.rstrip("/").split("/")[-1])
    kind = "the figure " if label.startswith("fig-") else ""
    return f"{kind}“{re.sub(r'[-_]', ' ', words).strip()}”"
