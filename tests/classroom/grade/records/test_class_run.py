"""From a folder of submissions to everything that is read."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from llm_course.classroom.course import find_root
from llm_course.classroom.grade.records.class_run import (
    add_override,
    grade_class,
    known_assignments,
    read_overrides,
    read_roster,
)
from llm_course.classroom.grade.records.override import Override
from llm_course.errors import CourseError

ROOT = find_root(Path(__file__).parent)
KEY = "07_attention/self_attention"


def test_everything_is_written(in_this_process, handed_in, tmp_path):
    out = tmp_path / "grades"
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada Lovelace\ncleo,Cleo\n")
    run = grade_class(
        known_assignments(ROOT), handed_in, out, roster=tmp_path / "roster.csv",
        book="https://example.org",
    )  # fmt: skip
    assert [report.points for report in run.graded.reports] == [18, 18]
    made = {path.relative_to(out).as_posix() for path in run.files}
    assert made >= {"grades.csv", "grades.json", "items.html", "export/canvas.csv"}
    assert made >= {"export/moodle-07_attention.csv", "feedback/ada.html", "feedback/cleo.html"}
    assert all(path.is_file() for path in run.files)
    rows = list(csv.DictReader((out / "grades.csv").open()))
    assert sum(float(row["points"]) for row in rows if row["student"] == "ada") == 18
    assert "Ada Lovelace" in (out / "feedback" / "ada.html").read_text()
    assert (out / "similar.csv").read_text().startswith("notebook,student,other,")


def test_an_override_reaches_grades_and_feedback(in_this_process, handed_in, tmp_path):
    out = tmp_path / "grades"
    given = Override(
        student="bob", chapter="07_attention", exercise="ex-07-2-padding-mask", points=1,
        reason="Copied from the board.",
    )  # fmt: skip
    add_override(out, given)
    add_override(out, replace(given, points=2))
    assert [found.points for found in read_overrides(out)] == [2]
    for _ in range(2):
        run = grade_class(known_assignments(ROOT), handed_in, out)
        totals = {report.student: report.points for report in run.grades.graded}
        assert totals == {"ada": 18, "bob": 17}
    assert "Copied from the board." in (out / "feedback" / "bob.html").read_text()


def test_private_tests_are_part_of_the_assignment(tmp_path):
    (tmp_path / "ex-07-2-padding-mask.py").write_text("# points: 2\nassert True\n")
    (given, spec) = known_assignments(ROOT, private_tests=tmp_path)[KEY]
    assert given.points == 20 and spec["private"] == str(tmp_path)
    with pytest.raises(CourseError, match="expected a folder of private tests"):
        known_assignments(ROOT, private_tests=tmp_path / "gone")


def test_a_wrong_roster_is_told(tmp_path):
    (tmp_path / "roster.csv").write_text("student;name\n")
    (tmp_path / "rows.csv").write_text("student,name\nx,y\n")
    for name in ("rows.csv", "gone.csv"):
        with pytest.raises(CourseError, match="columns id and name"):
            read_roster(tmp_path / name)


@pytest.mark.parametrize("text", ["{", "[1]", '[{"student": "x"}]'])
def test_damaged_overrides_are_told(tmp_path, text):
    (tmp_path / "overrides.json").write_text(text)
    with pytest.raises(CourseError, match="expected a list of overrides"):
        read_overrides(tmp_path)


def test_an_unknown_chapter_is_an_error():
    with pytest.raises(CourseError, match="unknown chapter"):
        known_assignments(ROOT, ["99_gone"])
