"""What a chapter withholds, and what it allows."""

from pathlib import Path

import pytest

from llm_course.classroom.course import Notebook, find_root, notebooks
from llm_course.classroom.grade.walls.withheld_names import withheld_names
from llm_course.errors import CourseError

ROOT = find_root(Path(__file__).parent)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("withheld: [1]", "expected `withheld` and `allowed`"),
        ("ex-1: [a.b]", "expected `withheld` and `allowed`"),
        ("withheld:\n  ex-1: a.b", "expected `withheld` and `allowed`"),
        ("withheld:\n  ex-99-gone: [llm_course.shapes.check_shape]", "ex-99-gone"),
    ],
)
def test_a_wrong_list_of_withheld_names_is_an_error(tmp_path, text, words):
    notebook = notebooks(ROOT, ["self_attention"])[0]
    folder = tmp_path / "solutions" / notebook.chapter
    folder.mkdir(parents=True)
    (folder / "withheld.yml").write_text(text)
    copied = folder / notebook.path.name
    copied.write_text(notebook.path.read_text())
    with pytest.raises(CourseError, match=words):
        withheld_names(Notebook(notebook.chapter, notebook.name, copied))


def test_what_one_exercise_withholds_all_do_but_those_that_are_allowed_it(tmp_path):
    cell = "```{code-cell} ipython3\n---\nnbgrader: {grade_id: NAME, solution: true}\n---\n1\n```\n"
    path = tmp_path / "x.md"
    path.write_text("".join(cell.replace("NAME", name) + "\n" for name in ("one", "two")))
    (tmp_path / "withheld.yml").write_text(
        "withheld:\n  one: [p.a]\n  two: [p.b]\nallowed:\n  two: [p.a]\n"
    )
    found = withheld_names(Notebook("07_x", "x", path))
    assert found == {"one": ["p.a", "p.b"], "two": ["p.b"]}
