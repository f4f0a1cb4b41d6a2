"""Reports are stored whole, and what was handed in is kept."""

import pytest

from llm_course.classroom.grade.marking.report import Report
from llm_course.classroom.grade.records.store import Store
from llm_course.errors import CourseError


def report(student="ada", seconds=1.0):
    return Report(
        student=student, chapter="07_a", notebook="n", submission_hash="s", grader_hash="g",
        seconds=seconds,
    )  # fmt: skip


def test_what_is_written_is_read(tmp_path):
    store = Store(tmp_path)
    store.write(report())
    store.write(report("bob"))
    assert store.read("ada", "07_a", "n") == report() and store.read("eve", "07_a", "n") is None
    assert [found.student for found in store.all()] == ["ada", "bob"]


def test_the_same_report_is_not_written_again(tmp_path):
    store = Store(tmp_path)
    store.write(report())
    before = store.path("ada", "07_a", "n").stat().st_mtime_ns
    store.write(report())
    assert store.path("ada", "07_a", "n").stat().st_mtime_ns == before


def test_originals_are_kept_and_cannot_be_changed_by_accident(tmp_path):
    Store(tmp_path).keep("ab", b"as it came")
    path = tmp_path / "originals" / "ab.ipynb"
    assert path.read_bytes() == b"as it came" and path.stat().st_mode & 0o222 == 0
    Store(tmp_path).keep("ab", b"as it came")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"questions": []}'])
def test_a_damaged_report_is_told(tmp_path, text):
    path = Store(tmp_path).path("ada", "07_a", "n")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(CourseError, match=r"ada\.json: expected a report.*Fix: delete the file"):
        Store(tmp_path).read("ada", "07_a", "n")
