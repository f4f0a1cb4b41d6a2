"""What goes into the book: every staged file, as a mapping from its path to its bytes.

The pages of `book/` and the executed chapters are taken as they are, apart from three things: what
the edition leaves out, the links to chapters, and the pages that are made from the course itself
(agenda, coverage, cards, benchmarks, API).
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from llm_course.classroom.author.chapter_text import dumps
from llm_course.classroom.book import agenda, api_pages, benchmark_page
from llm_course.classroom.book.strip import Edition, for_edition
from llm_course.classroom.course import Notebook, notebooks
from llm_course.classroom.coverage import report
from llm_course.classroom.grade.mutation import mutant_report
from llm_course.classroom.lesson import cards
from llm_course.errors import CourseError

# [[07_attention]] or [[07_attention#label]] in a page of book/: a link to a chapter that may not
# be there yet.
_CHAPTER_LINK = re.compile(r"\[\[(\d\d)(_[a-z0-9_]+)(#[a-z0-9-]+)?\]\]")


def content(
    root: Path, *, scale: str, edition: Edition, only: Sequence[str] = ()
) -> dict[str, bytes]:
    """Every file of the staged book.

    Raises:
        CourseError: a chapter was not executed, or a page that the table of contents names is
            missing.
    """
    chosen = notebooks(root, only)
    executed = {n.key: _executed(root, n, scale) for n in chosen}
    staged = _prose(root, chosen) | _generated(root, executed, edition)
    for notebook in chosen:
        shown = for_edition(executed[notebook.key], edition)
        staged |= _download(root, notebook, shown)
        staged[f"{notebook.key}.ipynb"] = dumps(shown)
    staged["_config.yml"] = config(root)
    staged["_toc.yml"] = table_of_contents(root, set(staged), partial=bool(only))
    encoded = {name: text.encode() for name, text in staged.items()}
    return encoded | _static(root)


def config(root: Path, repository: str | None = None) -> str:
    """The book's configuration, with launch buttons when the repository's address is known.

    The address comes from `$LLM_COURSE_REPOSITORY`, which the workflow that publishes the book
    sets. The buttons open the student's notebook, so a book built elsewhere shows none.
    """
    text = (root / "_config.yml").read_text(encoding="utf-8")
    repository = repository or os.environ.get("LLM_COURSE_REPOSITORY", "")
    if not repository:
        return text
    settings = yaml.safe_load(text)
    branch = os.environ.get("LLM_COURSE_BRANCH", "main")
    settings["repository"] = {"url": repository, "branch": branch, "path_to_book": "notebooks"}
    settings["html"] |= {"use_repository_button": True, "use_issues_button": True}
    settings["launch_buttons"] = {
        "notebook_interface": "jupyterlab",
        "binderhub_url": "https://mybinder.org",
    }
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def table_of_contents(root: Path, staged: set[str], *, partial: bool = False) -> str:
    """`book/_toc.yml`, without the notebooks that a `partial` book leaves out.

    Raises:
        CourseError: it names a page that is not there, or a notebook is in no part of it.
    """
    toc = yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8"))
    pages = {Path(name).with_suffix("").as_posix() for name in staged}
    authored = {notebook.key for notebook in notebooks(root)}
    for part in toc["parts"]:
        part["chapters"] = [
            entry
            for entry in part["chapters"]
            if not (partial and entry["file"] in authored - pages)
        ]
    toc["parts"] = [part for part in toc["parts"] if part["chapters"]]
    named = _named(toc)
    _refuse("names pages that do not exist", sorted(named - pages))
    _refuse("leaves out notebooks", sorted((authored & pages) - named))
    return yaml.safe_dump(toc, sort_keys=False)


def resolve_chapter_links(text: str, chosen: Sequence[Notebook]) -> str:
    """Replace `[[07_attention]]` by a link, or by plain words when the chapter is still to come.

    >>> there = [Notebook("07_attention", "self_attention", Path("a.md"))]
    >>> resolve_chapter_links("in [[07_attention]] and [[07_attention#heads]]", there)
    'in [chapter 7](07_attention/self_attention) and [chapter 7](#heads)'
    >>> resolve_chapter_links("in [[12_peft]]", there)
    'in chapter 12 (to come)'
    """
    first = {notebook.chapter: notebook.key for notebook in reversed(chosen)}

    def link(found: re.Match[str]) -> str:
        name = f"chapter {int(found[1])}"
        chapter = found[1] + found[2]
        if chapter not in first:
            return f"{name} (to come)"
        return f"[{name}]({found[3] or first[chapter]})"

    return _CHAPTER_LINK.sub(link, text)


def _executed(root: Path, notebook: Notebook, scale: str) -> NotebookNode:
    """The notebook as it was executed at `scale`."""
    path = root / "build" / "executed" / scale / f"{notebook.key}.ipynb"
    if not path.is_file():
        raise CourseError(
            f"{notebook.key}: expected its execution at {path}, got no such file. "
            f"Fix: make book ONLY={notebook.key} SCALE={scale}"
        )
    return nbformat.read(path, as_version=4)


def _prose(root: Path, chosen: Sequence[Notebook]) -> dict[str, str]:
    """The hand-written pages and the bibliography."""
    folder = root / "book"
    pages = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for pattern in ("*.md", "*.bib")
        for path in sorted(folder.glob(pattern))
    }
    return {name: resolve_chapter_links(text, chosen) for name, text in pages.items()}


def _generated(root: Path, executed: dict[str, NotebookNode], edition: Edition) -> dict[str, str]:
    """The pages that are made from the course itself."""
    return {
        "generated/agenda.md": agenda.render(root, executed),
        "coverage.md": report.render_page(root),
        "cards.md": cards.render_cards_page(cards.collect(list(executed.values()))),
        "mutants.md": mutant_report.render_page(root, edition=edition),
        "benchmarks.md": benchmark_page.render_page(root / "benchmarks" / "results"),
    } | api_pages.pages(root / "llm_course")


def _download(root: Path, notebook: Notebook, shown: NotebookNode) -> dict[str, str]:
    """The student's notebook, with a link to it under the chapter's title."""
    release = root / "notebooks" / f"{notebook.key}.ipynb"
    if not release.is_file():
        return {}
    name = f"downloads/{notebook.key}.ipynb"
    text = f"{{download}}`Download this chapter as a notebook with exercises </{name}>`"
    shown.cells.insert(1, nbformat.v4.new_markdown_cell(text, id="download"))
    return {name: release.read_text(encoding="utf-8")}


def _static(root: Path) -> dict[str, bytes]:
    """Style sheets, scripts and pictures."""
    folder = root / "book" / "_static"
    return {
        f"static/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".md"
    }


def _named(toc: dict) -> set[str]:
    """The pages that a table of contents names, patterns aside."""
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    entries += [section for entry in entries for section in entry.get("sections", [])]
    return {toc["root"]} | {entry["file"] for entry in entries if "file" in entry}


def _refuse(fault: str, pages: Sequence[str]) -> None:
    """Raise when the table of contents has a fault."""
    if pages:
        raise CourseError(f"book/_toc.yml {fault}: {', '.join(pages)}. Fix: correct its entries.")
