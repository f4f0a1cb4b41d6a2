"""What the published book must not hold: solutions, hidden tests, sources."""

import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from llm_course.classroom.author import chapter_text
from llm_course.classroom.book.strip import solution_lines
from llm_course.classroom.course import find_root, notebooks

pytestmark = pytest.mark.book

ROOT = find_root(Path(__file__).parent)


def code_lines(path):
    """The lines of code on a page, without indentation."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return {line.strip() for pre in soup.find_all("pre") for line in pre.get_text().splitlines()}


def test_no_solution_is_on_a_chapters_page(html):
    for notebook in notebooks(ROOT):
        hidden = solution_lines(chapter_text.read(notebook))
        assert len(hidden) >= 3, f"{notebook.key}: expected solutions to look for, got {hidden}"
        leaked = hidden & code_lines(html / f"{notebook.key}.html")
        assert leaked == set(), f"{notebook.key}: the reader's edition shows {leaked}"


def test_no_message_of_a_hidden_test_can_be_searched(html):
    index = (html / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(re.search(r"Search\.setIndex\((.*)\)\s*;?\s*$", index, re.DOTALL)[1])[
        "terms"
    ]
    assert "attent" in terms, "expected the index to hold the words of the course"
    whole = "".join(path.read_text(encoding="utf-8") for path in html.rglob("*.html")).lower()
    for notebook in notebooks(ROOT):
        words = set(re.findall(r"[a-z]{6,}", " ".join(solution_lines(chapter_text.read(notebook)))))
        only_hidden = {word for word in words if word not in whole}
        assert only_hidden & set(terms) == set(), f"{notebook.key}: hidden words in the index"


@pytest.mark.parametrize("marker", ["BEGIN SOLUTION", "BEGIN HIDDEN TESTS"])
def test_no_marker_and_no_source_is_published(html, marker):
    assert not (html / "_sources").exists(), "sources of pages would show solutions"
    chapters = [html / f"{notebook.key}.html" for notebook in notebooks(ROOT)]
    for path in [*chapters, *html.rglob("*.ipynb")]:
        assert marker not in path.read_text(encoding="utf-8"), f"{path}: holds {marker!r}"
