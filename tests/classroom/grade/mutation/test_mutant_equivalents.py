"""The list of mutants that no test can kill."""

from pathlib import Path

import pytest

from llm_course.classroom.course import Notebook, notebooks
from llm_course.classroom.grade.mutation.mutant_equivalents import (
    FILE,
    Equivalent,
    check_labels,
    load,
)
from llm_course.classroom.grade.mutation.mutation import mutants_of
from llm_course.errors import CourseError


@pytest.fixture
def notebook(sample_course: Path) -> Notebook:
    return notebooks(sample_course)[0]


def write(notebook: Notebook, text: str) -> None:
    """Write the chapter's list."""
    (notebook.path.parent / FILE).write_text(text, encoding="utf-8")


def test_no_list_is_an_empty_list(notebook: Notebook) -> None:
    assert load(notebook) == {}
    write(notebook, "# nothing yet\n")
    assert load(notebook) == {}


def test_entries_by_exercise(notebook: Notebook) -> None:
    write(
        notebook,
        "ex-07-1-mean:\n"
        "  - was: return a - b\n    becomes: return -b + a\n    reason: A sum has no order.\n"
        "  - was: 'if x:'\n    becomes: pass\n    reason: x is never true.\n",
    )
    first, second = load(notebook)["ex-07-1-mean"]
    assert first == Equivalent(
        was="return a - b", becomes="return -b + a", reason="A sum has no order."
    )
    assert second.was == "if x:"


def test_an_entry_describes_a_mutant_by_both_lines() -> None:
    minus, *_, one = mutants_of("def f(x):\n    return x - 1")
    entry = Equivalent(was="return x - 1", becomes="return x", reason="x is infinite.")
    assert entry.describes(minus)
    assert not entry.describes(one)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "broken YAML"),
        ("- was: a", "expected a list of mutants for each exercise"),
        ("ex-07-1-mean: text", "expected a list of mutants for each exercise"),
        ("ex-07-1-mean: [text]", "ex-07-1-mean: expected the texts was, becomes, reason"),
        ("ex-07-1-mean: [{was: a, becomes: b}]", "expected the texts was, becomes, reason"),
        ("ex-07-1-mean: [{was: a, becomes: b, reason: ' '}]", "expected the texts"),
        ("ex-07-1-mean: [{was: 1, becomes: b, reason: c}]", "expected the texts"),
        ("ex-07-1-mean: [{was: a, becomes: b, reason: c, line: 3}]", "expected the texts"),
    ],
)
def test_another_form_is_an_error_on_one_line(notebook: Notebook, text: str, message: str) -> None:
    write(notebook, text)
    with pytest.raises(CourseError, match=message) as caught:
        load(notebook)
    assert "Fix:" in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"solutions/07_sample/{FILE}")


def test_an_unknown_exercise_is_an_error(notebook: Notebook) -> None:
    write(notebook, "ex-07-9-gone: [{was: a, becomes: b, reason: c}]")
    check_labels(notebook, {"ex-07-9-gone", "ex-07-1-mean"})
    with pytest.raises(CourseError, match="got ex-07-9-gone. Fix: correct the names"):
        check_labels(notebook, {"ex-07-1-mean"})
