import os

import pytest

from llm_course.classroom.book import build
from llm_course.errors import CourseError

CONTENT = {"_config.yml": b"title: x\n", "pages/a.md": b"# A\n"}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course whose staged content is given and whose Jupyter Book is a copy of it."""
    monkeypatch.setattr(build.stage, "content", lambda root, **_: dict(CONTENT))
    monkeypatch.setattr(build, "_JUPYTER_BOOK", FAKE_JUPYTER_BOOK)
    return tmp_path


# Stands for Jupyter Book: one HTML page, a warning when a page says so, and no more.
FAKE_JUPYTER_BOOK = """
import sys
from pathlib import Path
stage, out = Path(sys.argv[2]), Path(sys.argv[sys.argv.index("--path-output") + 1])
html = out / "_build" / "html"
html.mkdir(parents=True, exist_ok=True)
text = (stage / "pages" / "a.md").read_text()
(html / "index.html").write_text(text)
if "broken" in text:
    print("\\x1b[91ma.md:1: WARNING: broken\\x1b[0m", file=sys.stderr)
    sys.exit("-W" in sys.argv)
"""


def test_a_book_is_built_once(course):
    first = build.build(course)
    assert first == build.Book(course / "build" / "html" / "index.html", rebuilt=True)
    assert first.index.read_text() == "# A\n"
    assert build.build(course).rebuilt is False


def test_a_change_in_a_page_in_a_docstring_or_in_the_lock_builds_it_again(course, monkeypatch):
    build.build(course)
    monkeypatch.setitem(CONTENT, "pages/a.md", b"# B\n")
    assert build.build(course).index.read_text() == "# B\n"
    (course / "llm_course").mkdir()
    (course / "llm_course" / "x.py").write_text('"""New."""')
    assert build.build(course).rebuilt
    (course / "constraints.txt").write_text("sphinx==7.4.7\n")
    assert build.build(course).rebuilt
    assert not build.build(course).rebuilt


def test_a_failed_build_shows_the_warning_and_keeps_the_last_good_book(course, monkeypatch, capsys):
    index = build.build(course).index
    monkeypatch.setitem(CONTENT, "pages/a.md", b"broken")
    for _ in range(2):  # the second run must not take the first one's ruin for a book
        with pytest.raises(CourseError, match=r"reported 1 problems.*jupyter-book\.log"):
            build.build(course)
        assert "a.md:1: WARNING: broken\n" in capsys.readouterr().err
    assert index.read_text() == "# A\n"
    log = course / "build" / "book" / "reader" / "jupyter-book.log"
    assert log.read_text() == "a.md:1: WARNING: broken\n"


def test_a_partial_book_is_built_in_spite_of_a_warning(course, monkeypatch, capsys):
    monkeypatch.setitem(CONTENT, "pages/a.md", b"broken")
    assert build.build(course, only=["07_sample"]).rebuilt
    assert "WARNING" in capsys.readouterr().err, "the warning is still shown"


def test_the_editions_lie_apart(course):
    reader, instructor = build.build(course), build.build(course, edition="instructor")
    assert reader.index.parent != instructor.index.parent
    assert reader.index.is_file() and instructor.index.is_file()


def test_only_what_changed_is_written_again(tmp_path):
    build.synchronise(tmp_path, {"a.md": b"1", "deep/b.md": b"2", "c.md": b"3"})
    for path in (tmp_path / "a.md", tmp_path / "c.md"):
        os.utime(path, (1, 1))
    assert build.synchronise(tmp_path, {"a.md": b"1", "c.md": b"4"}) == ["c.md"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.md", "c.md"]
    assert (tmp_path / "a.md").stat().st_mtime == 1, "an unchanged file keeps its time"
    assert (tmp_path / "c.md").read_bytes() == b"4"


def test_a_change_in_a_style_sheet_alone_writes_every_page_again(course, monkeypatch):
    monkeypatch.setitem(CONTENT, "static/course.css", b"a {}")
    left_over = course / "build" / "book" / "reader" / "_build" / "html" / "page.html"
    build.build(course)
    left_over.touch()
    monkeypatch.setitem(CONTENT, "pages/a.md", b"# B\n")
    build.build(course)
    assert left_over.exists(), "Sphinx goes on from where it was"
    monkeypatch.setitem(CONTENT, "static/course.css", b"b {}")
    build.build(course)
    assert not left_over.exists()


def test_publishing_replaces_the_whole_folder(tmp_path):
    built, html = tmp_path / "built", tmp_path / "html"
    built.mkdir()
    (built / "new.html").write_text("new")
    html.mkdir()
    (html / "old.html").write_text("old")
    build.publish(built, html)
    assert [path.name for path in html.iterdir()] == ["new.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "html"]
