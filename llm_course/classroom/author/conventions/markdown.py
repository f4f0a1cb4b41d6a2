"""The part of MyST that a chapter may use, so that its release reads well in plain Jupyter."""

import re
from collections.abc import Iterator

from llm_course.classroom.author.conventions.chapter import Chapter, prose_lines
from llm_course.classroom.author.references import citation_keys, load_references
from llm_course.classroom.cells import line_of
from llm_course.classroom.problems import Problem

ADMONITIONS = frozenset({"admonition", "note", "tip", "warning", "important"})
DIRECTIVES = ADMONITIONS | {"exercise", "dropdown"}
ROLES = frozenset({"cite:p", "cite:t", "ref", "numref", "eq", "doc"})

_ROLE = re.compile(r"\{([\w:-]+)\}`")
_BACKTICK_DIRECTIVE = re.compile(r"^\s*(?:`{3,}|~{3,})\{([\w:-]+)\}")
_INDENTED = re.compile(r"^\s+:{3,}")
_IMAGE = re.compile(r"!\[|<img\b")


def constructs(chapter: Chapter) -> Iterator[Problem]:
    """Directives and roles that the release knows how to rewrite."""
    for _, fence, line in chapter.fences():
        if fence.name not in DIRECTIVES:
            yield _refused(chapter, line, f"directive {{{fence.name}}}", DIRECTIVES)
    for cell in chapter.markdown:
        for offset, text in enumerate(cell.source.split("\n")):
            if directive := _BACKTICK_DIRECTIVE.match(text):
                what = f"backtick directive {{{directive[1]}}}"
                yield _refused(chapter, line_of(cell) + offset, what, DIRECTIVES)
        for offset, text in prose_lines(cell.source):
            if _INDENTED.match(text):
                yield chapter.problem(
                    line_of(cell) + offset,
                    "markdown",
                    "an indented fence. Fix: start it at column 1.",
                )
            for role in _ROLE.findall(text):
                if role not in ROLES:
                    yield _refused(chapter, line_of(cell) + offset, f"role {{{role}}}", ROLES)


def citations(chapter: Chapter) -> Iterator[Problem]:
    """Every cited key stands in the bibliography."""
    known = load_references(chapter.root)
    for cell in chapter.markdown:
        for offset, text in prose_lines(cell.source):
            for key in citation_keys(text):
                if key not in known:
                    yield chapter.problem(
                        line_of(cell) + offset,
                        "citation",
                        f"unknown key {key!r}. Fix: add it to book/references.bib.",
                    )


def images(chapter: Chapter) -> Iterator[Problem]:
    """Figures come from code, where their alternative text can state the number found."""
    for cell in chapter.markdown:
        for offset, text in prose_lines(cell.source):
            if _IMAGE.search(text):
                yield chapter.problem(
                    line_of(cell) + offset, "image", "an image file. Fix: draw it, with show()."
                )


def _refused(chapter: Chapter, line: int, what: str, allowed: frozenset[str]) -> Problem:
    """A construct that the release could not rewrite."""
    choices = ", ".join(sorted(allowed))
    return chapter.problem(line, "markdown", f"{what} is not allowed. Fix: use one of {choices}.")
