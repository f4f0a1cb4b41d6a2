"""The agenda on the landing page: every chapter, what exists of it and what is to come."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from nbformat import NotebookNode

from llm_course.errors import CourseError

_HEAD = "| | Chapter | What you will do | Notebooks |\n|--:|---|---|---|\n"


def render(root: Path, executed: Mapping[str, NotebookNode]) -> str:
    """The agenda as a Markdown table.

    Args:
        root: the repository, which holds `book/agenda.yml`.
        executed: the notebooks of this book, by key.

    Raises:
        CourseError: a notebook belongs to a chapter that the agenda does not have.
    """
    agenda = yaml.safe_load((root / "book" / "agenda.yml").read_text(encoding="utf-8"))
    unknown = sorted({key.split("/")[0] for key in executed} - set(agenda))
    if unknown:
        raise CourseError(
            f"book/agenda.yml: expected an entry for {', '.join(unknown)}. Fix: add one."
        )
    return _HEAD + "".join(row(name, agenda[name], executed) for name in agenda)


def row(chapter: str, entry: Mapping[str, Any], executed: Mapping[str, NotebookNode]) -> str:
    """One chapter of the table.

    >>> entry = {"title": "End to end", "about": "One command."}
    >>> row("13_capstone", entry, {})
    '| 13 | **End to end** | One command. | to come |\\n'
    """
    found = {key: notebook for key, notebook in executed.items() if key.startswith(f"{chapter}/")}
    links = [_link(key, notebook) for key, notebook in found.items()]
    planned = entry.get("parts", {})
    links += [f"*{planned[name]}*: to come" for name in planned if f"{chapter}/{name}" not in found]
    notebooks = "<br>".join(links) if links else "to come"
    number = chapter.split("_")[0]
    return f"| {number} | **{entry['title']}** | {entry['about']} | {notebooks} |\n"


def _link(key: str, notebook: NotebookNode) -> str:
    """A link to a notebook's page, with the minutes that it takes."""
    about = notebook.metadata.get("llm_course", {})
    title = about.get("title", key.split("/")[1])
    minutes = f", {about['minutes']} min" if "minutes" in about else ""
    return f"[{title}](/{key}){minutes}"
