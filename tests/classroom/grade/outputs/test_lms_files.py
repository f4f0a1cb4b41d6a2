"""The files for learning platforms, with the platforms' own identifiers."""

import csv

import pytest

from llm_course.classroom.grade.outputs.lms_files import read_exported, write_exports
from llm_course.classroom.grade.records.class_grades import ClassGrades
from llm_course.errors import CourseError

WORKSHEET = (
    "Identifier,Full name,ID number,Email address,Grade,Maximum Grade,Last modified (grade)\n"
    "Participant 7,Ada,ada,a@x.org,,,-\n"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,07_attention (99)\n"
    "    Points Possible,,,,,2\nAda,11,,ada,A,\n"
)


@pytest.fixture
def grades(made):
    return ClassGrades(
        [made.report(s, [made.question(tests=[made.test()])]) for s in ("ada", "bob")]
    )


def rows(path):
    return list(csv.reader(path.read_text().splitlines()))


def test_identifiers_of_the_platform_are_taken_over_and_strangers_named(grades, tmp_path):
    (tmp_path / "sheet.csv").write_text("\ufeff" + WORKSHEET)
    (tmp_path / "canvas.csv").write_text(CANVAS)
    sheets = [f"07_attention={tmp_path / 'sheet.csv'}"]
    exported = read_exported(sheets, tmp_path / "canvas.csv", ["07_attention"])
    files, told = write_exports(tmp_path / "out", grades, exported)
    moodle, canvas = (rows(path) for path in files)
    assert moodle[1][:3] == ["Participant 7", "Ada", "1"]
    assert canvas[0][-1] == "07_attention (99)" and canvas[2] == ["Ada", "11", "", "ada", "A", "1"]
    assert told == [
        f"export/{name}: the platform's export does not name bob; an import leaves them out."
        for name in ("moodle-07_attention.csv", "canvas.csv")
    ]


def test_without_an_export_the_courses_own_names_are_written(grades, tmp_path):
    files, told = write_exports(tmp_path, grades)
    assert told == [] and [row[0] for row in rows(files[0])] == ["Identifier", "ada", "bob"]
    assert rows(files[1])[0][-1] == "07_attention"


@pytest.mark.parametrize("text", ["sheet.csv", "99_gone=sheet.csv", "07_attention="])
def test_a_worksheet_needs_its_chapter(text):
    with pytest.raises(CourseError, match="expected CHAPTER=FILE .* Fix: "):
        read_exported([text], None, ["07_attention"])


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("x.csv", "gone.csv"):
        with pytest.raises(CourseError, match="download it again"):
            read_exported([], tmp_path / name, [])


def test_what_is_no_export_is_refused_before_anything_is_written(grades, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    exported = read_exported([], tmp_path / "x.csv", [])
    with pytest.raises(CourseError):
        write_exports(tmp_path / "out", grades, exported)
    assert not (tmp_path / "out").exists()
