"""Authored chapters as notebooks: ids, lines, bytes, and errors with file and line."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from llm_course.classroom.author import chapter_text
from llm_course.classroom.cells import line_of
from llm_course.classroom.course import notebooks
from llm_course.errors import CourseError

Edit = Callable[[str, str], Path]


def test_every_cell_knows_its_line(sample_course: Path) -> None:
    (notebook,) = notebooks(sample_course)
    lines = notebook.path.read_text(encoding="utf-8").split("\n")
    for cell in chapter_text.read(notebook).cells:
        first = cell.source.split("\n")[0]
        assert lines[line_of(cell) - 1] == first, f"cell {cell.id} is not at line {line_of(cell)}"


def test_front_matter_and_kernel(sample_course: Path) -> None:
    metadata = chapter_text.read(notebooks(sample_course)[0]).metadata
    assert metadata["llm_course"] == {
        "title": "Counting",
        "minutes": 120,
        "prerequisites": ["00_primer"],
        "path": "solutions/07_sample/counting.md",
    }
    assert set(metadata) == {"kernelspec", "language_info", "llm_course"}


def test_graded_cells_are_named_by_their_grade_id(sample_course: Path) -> None:
    parsed = chapter_text.read(notebooks(sample_course)[0])
    ids = [cell.id for cell in parsed.cells]
    assert len(set(ids)) == len(ids)
    assert {"ex-07-1-mean", "test-07-1-mean", "test-07-1-mean-hidden"} <= set(ids)
    nbformat.validate(parsed)


def test_an_insertion_moves_no_other_id(sample_course: Path, edit_chapter: Edit) -> None:
    (notebook,) = notebooks(sample_course)
    before = [cell.id for cell in chapter_text.read(notebook).cells]
    edit_chapter("## Use it\n", "Inserted.\n\n```{code-cell} ipython3\n1 + 1\n```\n\n## Use it\n")
    after = [cell.id for cell in chapter_text.read(notebook).cells]
    assert [name for name in after if name in before] == before
    assert len(after) == len(before) + 2


def test_equal_cells_have_different_ids(tmp_path: Path) -> None:
    path = tmp_path / "twice.md"
    path.write_text("# T\n" + "\n```{code-cell} ipython3\n1 + 1\n```\n" * 2)
    first, second = (cell.id for cell in chapter_text.read(path).cells[1:])
    assert first != second


def test_sources_are_byte_identical_when_repeated(sample_course: Path) -> None:
    (path,) = chapter_text.write_sources(sample_course)
    assert path == sample_course / "build" / "source" / "07_sample" / "counting.ipynb"
    once = path.read_bytes()
    chapter_text.write_sources(sample_course)
    assert path.read_bytes() == once
    (elsewhere,) = chapter_text.write_sources(sample_course, sample_course / "out", ["counting"])
    assert elsewhere.read_bytes() == once


def test_options_may_be_written_with_colons(tmp_path: Path) -> None:
    path = tmp_path / "short.md"
    path.write_text("# T\n\n```{code-cell} ipython3\n:tags: [predict]\n\nx = 1\n```\n")
    cell = chapter_text.read(path).cells[1]
    assert (cell.metadata["tags"], line_of(cell)) == (["predict"], 6)


@pytest.mark.parametrize(
    ("old", "new", "at", "reason"),
    [
        ("tags: [parameters]", "tags: [parameters", "---\ntags: [parameters", "broken YAML"),
        ("tags: [parameters]", "just words", "---\njust words", "expected options"),
        ("  minutes: 120", "  minutes: [120", None, "broken YAML"),
        ("### END SOLUTION\n```\n", "### END SOLUTION\n", "---\nnbgrader", "``` is not closed"),
        (":::{note} About", "::::{note} About", ":::\n\n::::{exercise} The", "no open fence"),
        ("enough.\n:::\n::::", "enough.\n::::", "::::\n\n```{code-cell}", "no open fence"),
        ("A picture", "+++ {no json}\nA picture", "+++ {no json}", "broken YAML"),
    ],
)
def test_broken_text_is_an_error_with_file_and_line(
    sample_course: Path, edit_chapter: Edit, old: str, new: str, at: str | None, reason: str
) -> None:
    path = edit_chapter(old, new)
    text = path.read_text(encoding="utf-8")
    line = text[: text.index(at)].count("\n") + 1 if at else 1
    # A code cell's problem is told at its fence, the line before its options.
    line -= bool(at and at.startswith("---"))
    with pytest.raises(CourseError) as caught:
        chapter_text.read(notebooks(sample_course)[0])
    assert str(caught.value).startswith(f"solutions/07_sample/counting.md:{line}: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value), "an error is one line"


def test_front_matter_must_be_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "list.md"
    path.write_text("---\n- one\n---\n# T\n")
    with pytest.raises(CourseError, match="list.md:1: "):
        chapter_text.read(path)


def test_an_unclosed_last_fence(tmp_path: Path) -> None:
    path = tmp_path / "open.md"
    path.write_text("# T\n\n```{code-cell} ipython3\n1\n")
    with pytest.raises(CourseError, match=r"open.md:3: the fence ``` is not closed"):
        chapter_text.read(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_an_unreadable_file_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "lost.md"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CourseError, match="expected a chapter as UTF-8 text"):
        chapter_text.read(path)


def test_the_sample_keeps_every_rule(sample_course: Path) -> None:
    assert [str(problem) for problem in chapter_text.check(sample_course)] == []


def test_an_unreadable_chapter_is_a_problem_with_its_line(
    sample_course: Path, edit_chapter: Edit
) -> None:
    edit_chapter("tags: [predict]", "tags: [predict")
    (problem,) = chapter_text.check(sample_course)
    assert (problem.rule, problem.path) == ("unreadable", "solutions/07_sample/counting.md")
    assert problem.line > 70
