"""Whoever solves a notebook gets all its points: answers and tests meet through the sandbox only.

What a test asks for must fit through that wall: no function as an argument, no gradient through an
answer. Such a test passes where both live in one process, and is at fault when a class is graded.
"""

import csv
import sys

import pytest

from llm_course import cli
from llm_course.classroom.course import find_root, notebooks
from llm_course.classroom.grade.marking.assignment import of_chapter

KEYS = [notebook.key for notebook in notebooks(find_root())]


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("key", KEYS)
def test_a_solved_notebook_gets_all_its_points(key, submit, pytestconfig, tmp_path, monkeypatch):
    [notebook] = [n for n in notebooks(pytestconfig.rootpath) if n.key == key]
    given = of_chapter(pytestconfig.rootpath, notebook)
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / f"ada_{given.name}.ipynb").write_bytes(submit(given))
    words = ["llm-course", "grade", folder, "--out", out, "--chapter", given.chapter]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    with (out / "grades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({question.grade_id for question in given.questions})
    for row in rows:
        assert (row["points"], row["faults"]) == (row["max_points"], ""), row
