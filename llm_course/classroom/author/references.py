"""The bibliography, as far as a notebook outside the book needs it: who, when, where.

``book/references.bib`` is read with the parser that the book's own citations use.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pybtex.database import Entry, Person, parse_string
from pybtex.exceptions import PybtexError

from llm_course.errors import CourseError

_CITATION = re.compile(r"\{cite:[pt]\}`([^`]+)`")


@dataclass(frozen=True)
class Reference:
    """A work as a sentence names it.

    >>> Reference("Vaswani et al.", "2017", "https://arxiv.org/abs/1706.03762").url
    'https://arxiv.org/abs/1706.03762'
    """

    authors: str
    year: str
    url: str


def load_references(root: Path) -> dict[str, Reference]:
    """The entries of ``book/references.bib`` by key.

    Raises:
        CourseError: the file is missing or is no BibTeX.
    """
    path = Path(root) / "book" / "references.bib"
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except (OSError, PybtexError) as error:
        reason = " ".join(str(error).split())
        raise CourseError(
            f"{path}: expected a BibTeX file, got {reason}. Fix: mend or restore it."
        ) from error


def citation_keys(text: str) -> list[str]:
    """The keys that a piece of MyST cites, in order.

    >>> citation_keys("As {cite:t}`a2017` and others {cite:p}`b2018, c2019` saw.")
    ['a2017', 'b2018', 'c2019']
    """
    return [key.strip() for group in _CITATION.findall(text) for key in group.split(",")]


@lru_cache(maxsize=8)
def _parsed(text: str) -> dict[str, Reference]:
    """The references of a bibliography's text, parsed once."""
    entries = parse_string(text, "bibtex").entries
    return {key: _reference(entry) for key, entry in entries.items()}


def _reference(entry: Entry) -> Reference:
    """Who, when and where, from one entry."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    fields = entry.fields
    names = [_family_name(person) for person in people] or [fields.get("title", entry.key)]
    if len(names) > 2:
        authors = f"{names[0]} et al."
    else:
        authors = " and ".join(names)
    return Reference(_plain(authors), fields.get("year", "n.d."), _address(fields))


def _family_name(person: Person) -> str:
    """The name that a citation shows, with its particle (``van den Oord``)."""
    return " ".join(person.prelast_names + person.last_names)


def _address(fields: dict[str, str]) -> str:
    """Where the work can be read: its own address, else its DOI or its arXiv number."""
    if url := fields.get("url"):
        return url
    if doi := fields.get("doi"):
        return f"https://doi.org/{doi}"
    if number := fields.get("eprint"):
        return f"https://arxiv.org/abs/{number}"
    return ""


def _plain(name: str) -> str:
    """A BibTeX name without its braces."""
    return re.sub(r"[{}]", "", name)
