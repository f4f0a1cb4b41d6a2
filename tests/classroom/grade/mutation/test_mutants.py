"""Grading the sample course's tests: what is counted, what is refused, what the command says."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llm_course.classroom.grade.mutation import mutant_runner
from llm_course.classroom.grade.mutation.mutant_equivalents import FILE as LIST
from llm_course.classroom.grade.mutation.mutant_record import Pair, course_exercises, load
from llm_course.classroom.grade.mutation.mutant_runner import Runner
from llm_course.classroom.grade.mutation.mutants import examine, line_in_chapter, main
from llm_course.errors import CourseError

SPREAD = "return math.sqrt(sum(((x - centre) ** 2 for x in numbers)) / len(numbers))"
TURNED = "return math.sqrt(sum(((centre - x) ** 2 for x in numbers)) / len(numbers))"


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(1) as runner:
        yield runner


@pytest.fixture
def pairs(sample_course: Path) -> dict[str, Pair]:
    return {pair[1].label: pair for pair in course_exercises(sample_course)}


def list_equivalent(root: Path, label: str, was: str, becomes: str) -> None:
    """Write a list with one entry."""
    path = root / "solutions" / "07_sample" / LIST
    path.write_text(
        f"{label}:\n  - was: '{was}'\n    becomes: '{becomes}'\n    reason: A square has no sign.\n"
    )


def test_counts_by_the_test_that_kills(pairs: dict[str, Pair], runner: Runner) -> None:
    tally = examine(*pairs["ex-07-2-limit"], runner)
    # limit(7, 0, 5) == 5 fails without min, and with either max or min turned over; without max
    # it passes, and limit(-2, 0, 5) == 0 fails.
    assert (tally.mutants, tally.by_visible, tally.by_hidden, tally.by_limit) == (4, 3, 1, 0)
    assert (tally.survivors, tally.equivalent, tally.share) == ((), (), 1.0)
    assert tally.notebook == "07_sample/counting"


def test_a_survivor_is_named_with_its_line(pairs: dict[str, Pair], runner: Runner) -> None:
    notebook, exercise = pairs["ex-07-4-spread"]
    tally = examine(notebook, exercise, runner)
    (slip,) = tally.survivors
    assert (slip.kind, slip.line, slip.was, slip.becomes) == ("swapped operands", 5, SPREAD, TURNED)
    where = line_in_chapter(exercise, slip)
    path, _, number = where.partition(":")
    assert path == "solutions/07_sample/counting.md"
    assert "x - centre" in notebook.path.read_text().split("\n")[int(number) - 1]


def test_tests_that_look_at_nothing_kill_nothing(pairs: dict[str, Pair], runner: Runner) -> None:
    notebook, exercise = pairs["ex-07-3-totals"]
    blind = replace(exercise, visible_test="totals", hidden_test="assert totals([]) == []")
    tally = examine(notebook, blind, runner)
    assert tally.killed < tally.mutants / 2
    assert tally.killed + len(tally.survivors) == tally.mutants


def test_a_mutant_that_loops_is_killed_by_its_limit(
    pairs: dict[str, Pair], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutant_runner, "LEAST_SECONDS", 1)
    notebook, exercise = pairs["ex-07-3-totals"]
    loops = (
        "def totals(numbers):\n    found = []\n    while len(found) < len(numbers):\n"
        "        found.append(sum(numbers[: len(found) + 1]))\n    return found"
    )
    tally = examine(notebook, replace(exercise, solution_source=loops), runner)
    assert tally.by_limit >= 1, "without append, the loop never ends"
    assert tally.share > 0.8


def test_a_listed_mutant_is_no_survivor(
    sample_course: Path, pairs: dict[str, Pair], runner: Runner
) -> None:
    list_equivalent(sample_course, "ex-07-4-spread", SPREAD, TURNED)
    before = examine(*pairs["ex-07-4-spread"], runner)
    assert before.survivors == ()
    assert [slip.reason for slip in before.equivalent] == ["A square has no sign."]
    assert before.killed == before.mutants - 1
    assert before.share == 1.0


@pytest.mark.parametrize(
    ("becomes", "why"),
    [
        (TURNED.replace("2", "3"), "there is no such mutant"),
        (SPREAD.replace("** 2", "** 3"), "a test kills it"),
    ],
)
def test_a_false_entry_is_an_error(
    sample_course: Path, pairs: dict[str, Pair], runner: Runner, becomes: str, why: str
) -> None:
    list_equivalent(sample_course, "ex-07-4-spread", SPREAD, becomes)
    with pytest.raises(CourseError, match=f"{why}. Fix: remove the entry.") as caught:
        examine(*pairs["ex-07-4-spread"], runner)
    assert "ex-07-4-spread: expected a mutant that no test can kill" in str(caught.value)


def test_the_command_runs_what_changed(
    sample_course: Path,
    edit_chapter: Callable[[str, str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(sample_course)
    assert main(["--jobs", "1", "--write"]) == 0
    told = capsys.readouterr().out
    assert "ex-07-2-limit: 4 of 4 mutants killed (100%)\n" in told
    assert "survives: solutions/07_sample/counting.md:" in told
    assert "recorded: book/mutants.json" in told
    assert len(load(sample_course)) == 4
    assert main([]) == 0
    assert capsys.readouterr().out == "", "nothing has changed"
    # Tests that are too weak end the command with 1, and the record is said to be old.
    edit_chapter('assert limit(-2, 0, 5) == 0, "-2 passes the lower limit 0"', "")
    edit_chapter('assert limit(9, 4, 6) == 6, "limits need not start at zero"', "")
    assert main(["--jobs", "1"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("ex-07-2-limit: 3 of 4 mutants killed (75%)\n")
    assert "not in book/mutants.json as they stand: ex-07-2-limit. Fix: python -m" in out
    assert err == "expected 90% of the mutants killed, got less in ex-07-2-limit. Fix: test more.\n"


@pytest.mark.parametrize(
    ("label", "arguments", "message"),
    [
        ("ex-07-9-gone", [], "expected exercises of the chapter, got ex-07-9-gone"),
        ("ex-07-1-mean", ["09_gone"], "unknown chapter or notebook '09_gone'"),
    ],
)
def test_what_cannot_be_run_ends_with_two(
    sample_course: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    label: str,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(sample_course)
    list_equivalent(sample_course, label, "a", "b")
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
