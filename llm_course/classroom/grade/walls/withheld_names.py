"""The names that a chapter's ``withheld.yml`` takes away from its exercises."""

from pathlib import Path
from typing import Any

import yaml

from llm_course.classroom.author import chapter_text
from llm_course.classroom.cells import grade_id, is_solution
from llm_course.classroom.course import Notebook
from llm_course.errors import CourseError


def withheld_names(notebook: Notebook) -> dict[str, list[str]]:
    """What the grader takes away for each exercise, from the chapter's ``withheld.yml``.

    Whatever is withheld for one exercise is withheld for all of the chapter, but for those that
    the file allows it.
    """
    path = notebook.path.parent / "withheld.yml"
    if not path.is_file():
        return {}
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    parts = [found.get("withheld"), found.get("allowed")] if isinstance(found, dict) else []
    if not all(_is_listing(part) for part in parts) or set(found) - {"withheld", "allowed"}:
        raise CourseError(
            f"{path}: expected `withheld` and `allowed`, each with a list of names for each "
            "exercise. Fix: correct it."
        )
    withheld, allowed = parts[0] or {}, parts[1] or {}
    _refuse_unknown(notebook, path, {*withheld, *allowed})
    every = sorted({name for names in withheld.values() for name in names})
    return {
        key: [name for name in every if name not in allowed.get(key, ())]
        for key in {*withheld, *allowed}
    }


def _is_listing(found: Any) -> bool:
    """Whether this maps exercises to lists of names, or is left out."""
    if found is None:
        return True
    return isinstance(found, dict) and all(isinstance(names, list) for names in found.values())


def _refuse_unknown(notebook: Notebook, path: Path, named: set[str]) -> None:
    """Refuse names that are no exercise of the chapter's notebooks."""
    texts = [
        chapter_text.read(Notebook(notebook.chapter, chapter.stem, chapter))
        for chapter in sorted(notebook.path.parent.glob("*.md"))
    ]
    known = {grade_id(cell) for text in texts for cell in text.cells if is_solution(cell)}
    if unknown := sorted(named - known):
        raise CourseError(f"{path}: expected exercises, got {unknown}. Fix: correct their names")
