"""The record of results: when an entry still holds, and that it is read as it was written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from llm_course.classroom.grade.mutation import mutant_record
from llm_course.classroom.grade.mutation.mutant_equivalents import FILE as LIST
from llm_course.classroom.grade.mutation.mutant_record import (
    FILE,
    Pair,
    Slip,
    Tally,
    changed,
    course_exercises,
    fingerprint,
    load,
    save,
    versions,
)
from llm_course.errors import CourseError

SLIP = Slip(kind="off by one", line=3, was="return 1", becomes="return 2")


def tally(pair: Pair, **changes: object) -> Tally:
    """A result of an exercise as it stands."""
    notebook, exercise = pair
    given = {"label": exercise.label, "notebook": notebook.key, "mutants": 10, "by_visible": 6}
    given |= {"fingerprint": fingerprint(exercise, ()), "by_hidden": 3, "by_limit": 0}
    return Tally(**(given | changes))


@pytest.fixture
def recorded(sample_course: Path) -> Path:
    """The sample course with a record of every exercise."""
    save(sample_course, [tally(pair) for pair in course_exercises(sample_course)])
    return sample_course


def labels(pairs: list[Pair]) -> list[str]:
    """The exercises' names."""
    return [exercise.label for _, exercise in pairs]


def test_the_share_is_of_those_that_can_be_killed(sample_course: Path) -> None:
    pair = course_exercises(sample_course)[0]
    equivalent = Slip(kind="k", line=1, was="a", becomes="b", reason="Both are 0.")
    found = tally(pair, survivors=(SLIP,), equivalent=(equivalent,), by_limit=2)
    assert found.killed == 11
    assert found.share == 11 / 12
    assert tally(pair, by_visible=0, by_hidden=0).share == 1, "no mutant, nothing to kill"


def test_without_a_record_everything_has_changed(sample_course: Path) -> None:
    assert load(sample_course) == {}
    assert versions(sample_course) == {}
    assert len(labels(changed(sample_course))) == 4


def test_a_record_is_read_as_it_was_written(sample_course: Path) -> None:
    pairs = course_exercises(sample_course)
    listed = Slip(kind="k", line=2, was="a", becomes="b", reason="Same.")
    wanted = {
        exercise.label: tally((notebook, exercise), survivors=(SLIP,), equivalent=(listed,))
        for notebook, exercise in pairs
    }
    path = save(sample_course, wanted.values())
    assert load(sample_course) == wanted
    before = path.read_bytes()
    save(sample_course, [])
    assert path.read_bytes() == before, "the same results give the same bytes"


def test_the_record_says_how_it_was_made(recorded: Path) -> None:
    found = json.loads((recorded / FILE).read_text())
    assert found["command"] == "python -m llm_course.classroom.grade.mutation.mutants --write"
    assert set(versions(recorded)) == {"python", "torch", "einops", "numpy"}


@pytest.mark.parametrize(
    ("old", "new", "who"),
    [
        ("return sum(numbers) / len(numbers)\n", "return sum(numbers) / max(len(numbers), 1)\n",
         ["ex-07-1-mean"]),
        ("assert totals([]) == []", "assert totals(list()) == []", ["ex-07-3-totals"]),
        ("assert limit(7, 0, 5) == 5", "assert limit(8, 0, 5) == 5", ["ex-07-2-limit"]),
        ("import random\n", "import random as random\n",
         ["ex-07-1-mean", "ex-07-2-limit", "ex-07-3-totals", "ex-07-4-spread"]),
        ("# Counting", "# Counting numbers", []),
        ("``sum`` and ``len`` are enough.", "``sum`` is not enough.", []),
    ],
    ids=["solution", "hidden test", "visible test", "set-up", "title", "hint"],
)  # fmt: skip
def test_an_entry_holds_until_what_it_rests_on_changes(
    recorded: Path, edit_chapter: Callable[[str, str], Path], old: str, new: str, who: list[str]
) -> None:
    assert changed(recorded) == []
    edit_chapter(old, new)
    assert labels(changed(recorded)) == who


def test_a_new_equivalent_and_new_operators_ask_for_a_run(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recorded / "solutions" / "07_sample" / LIST
    path.write_text("ex-07-2-limit: [{was: a, becomes: b, reason: c}]")
    assert labels(changed(recorded)) == ["ex-07-2-limit"]
    path.unlink()
    assert changed(recorded) == []
    monkeypatch.setattr(mutant_record, "FORMAT", -1)
    assert len(changed(recorded)) == 4


def test_only_the_chosen_are_asked_for(sample_course: Path) -> None:
    assert len(changed(sample_course, ["07_sample"])) == 4
    with pytest.raises(CourseError, match="unknown chapter"):
        changed(sample_course, ["09_gone"])


def test_exercises_that_are_gone_leave_the_record(
    recorded: Path, edit_chapter: Callable[[str, str], Path]
) -> None:
    path = edit_chapter("ex-07-2-limit", "ex-07-2-bounds")
    text = path.read_text().replace("ex-07-2-limit", "ex-07-2-bounds")
    path.write_text(text.replace("test-07-2-limit", "test-07-2-bounds"))
    assert labels(changed(recorded)) == ["ex-07-2-bounds"]
    assert "ex-07-2-limit" in load(recorded)
    save(recorded, [])
    assert sorted(load(recorded)) == ["ex-07-1-mean", "ex-07-3-totals", "ex-07-4-spread"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"exercises": []}', '{"exercises": {"ex": {}}}', '{"exercises": {"ex": 1}}'],
)
def test_a_damaged_record_is_a_clear_error(sample_course: Path, text: str) -> None:
    (sample_course / FILE).write_text(text)
    with pytest.raises(CourseError, match=r"mutants.json: expected recorded results, got .*Fix:"):
        load(sample_course)


def test_a_field_from_elsewhere_is_an_error(recorded: Path) -> None:
    found = json.loads((recorded / FILE).read_text())
    found["exercises"]["ex-07-1-mean"]["colour"] = "blue"
    (recorded / FILE).write_text(json.dumps(found))
    with pytest.raises(CourseError, match="expected recorded results, got KeyError: 'colour'"):
        load(recorded)
