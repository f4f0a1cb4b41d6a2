"""The view that the rules have of a notebook."""

from collections.abc import Callable

import nbformat

from llm_course.classroom.author.conventions.chapter import Chapter, prose_lines, tree


def test_headings_have_their_lines(chapter: Chapter, line_at: Callable[[int], str]) -> None:
    found = list(chapter.headings())
    assert found[0][:2] == (1, "Counting")
    for level, text, line in found:
        assert line_at(line) == f"{'#' * level} {text}"


def test_fences_have_their_lines(chapter: Chapter, line_at: Callable[[int], str]) -> None:
    found = list(chapter.fences())
    assert {fence.name for _, fence, _ in found} == {"exercise", "dropdown", "note"}
    for _, fence, line in found:
        assert line_at(line) == f"{':' * fence.colons}{{{fence.name}}} {fence.title}"


def test_problems_name_the_chapter(chapter: Chapter) -> None:
    problem = chapter.problem(chapter.code[0], "rule", "message")
    assert str(problem) == "solutions/07_sample/counting.md:29: rule: message"
    assert chapter.number == "07"


def test_cells_by_kind(chapter: Chapter) -> None:
    assert len(chapter.code) + len(chapter.markdown) == len(chapter.cells)


def test_code_in_markdown_is_no_prose() -> None:
    assert [text for _, text in prose_lines("a\n```python\n# b\n```\nc")] == ["a", "c"]


def test_broken_code_has_no_tree() -> None:
    assert tree(nbformat.v4.new_code_cell("def (")) is None
