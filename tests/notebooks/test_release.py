"""The committed releases are those that the chapters give."""

from pathlib import Path

from llm_course.classroom.release.assignment import check_drift

ROOT = Path(__file__).parents[2]


def test_no_release_differs_from_its_chapter() -> None:
    drift = check_drift(ROOT)
    assert not drift, "\n" + "\n".join(drift)
