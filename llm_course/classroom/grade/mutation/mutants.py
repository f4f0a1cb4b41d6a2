"""Graders are graded: an exercise's tests must kill the mutants of its reference solution.

``python -m llm_course.classroom.grade.mutation.mutants`` runs what changed since the record in
``book/mutants.json``; ``--all`` runs every exercise, ``--write`` records the results. A survivor is
a mistake that would get full marks: mend the tests, or list it with the reason why nobody could
tell it from the reference (`mutant_equivalents`).
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from llm_course.classroom.author.exercises import Exercise, Outcome
from llm_course.classroom.course import Notebook, find_root, shown
from llm_course.classroom.grade.mutation import mutant_equivalents, mutant_record
from llm_course.classroom.grade.mutation.mutant_equivalents import Equivalent
from llm_course.classroom.grade.mutation.mutant_record import (
    COMMAND,
    TARGET,
    Slip,
    Tally,
    changed,
    course_exercises,
    fingerprint,
)
from llm_course.classroom.grade.mutation.mutant_runner import Runner
from llm_course.classroom.grade.mutation.mutation import Mutant, mutants_of
from llm_course.errors import CourseError


def examine(notebook: Notebook, exercise: Exercise, runner: Runner) -> Tally:
    """Run an exercise's tests on every mutant of its solution.

    Raises:
        CourseError: the solution fails its tests, or a mutant is listed as equivalent that does
            not exist or is killed.
    """
    listed = mutant_equivalents.load(notebook).get(exercise.label, ())
    mutants = mutants_of(exercise.solution_source, exercise.setup)
    for entry in listed:
        if not any(entry.describes(mutant) for mutant in mutants):
            raise _misplaced(notebook, exercise, entry, "there is no such mutant")
    outcomes = list(runner.outcomes(exercise, [mutant.source for mutant in mutants]))
    pairs = list(zip(mutants, outcomes, strict=True))
    for entry in listed:
        if any(entry.describes(mutant) and not outcome.passed for mutant, outcome in pairs):
            raise _misplaced(notebook, exercise, entry, "a test kills it")
    return _tally(notebook, exercise, listed, pairs)


def line_in_chapter(exercise: Exercise, slip: Slip) -> str:
    """Where a surviving mutant stands, as editors take it: path and line.

    An exercise knows the line of its solution cell's first line.
    """
    return f"{exercise.path}:{exercise.line + slip.line - 1}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line.

    Returns:
        0 when the tests of every exercise that ran kill enough mutants, 1 when those of one do
        not, 2 when nothing could be run.
    """
    parser = argparse.ArgumentParser(prog="mutants", description="Grade the course's own tests.")
    parser.add_argument("only", nargs="*", metavar="NOTEBOOK", help="a chapter or a notebook")
    parser.add_argument("--all", action="store_true", help="run what has not changed as well")
    parser.add_argument("--write", action="store_true", help=f"record in {mutant_record.FILE}")
    parser.add_argument("--jobs", type=int, help="mutants at a time; default: one for each core")
    given = parser.parse_args(arguments)
    try:
        return _run(find_root(), given)
    except CourseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(root: Path, given: argparse.Namespace) -> int:
    """Examine the chosen exercises and tell what came out."""
    _check_lists(root)
    chosen = (course_exercises if given.all else changed)(root, given.only)
    tallies = []
    with Runner(given.jobs) as runner:
        for notebook, exercise in chosen:
            tally = examine(notebook, exercise, runner)
            tallies.append(tally)
            print(_told(tally), flush=True)
            for slip in tally.survivors:
                print(f"  survives: {line_in_chapter(exercise, slip)}: {slip.kind}")
                print(f"    {slip.was}\n    {slip.becomes}", flush=True)
    if given.write:
        print(f"recorded: {mutant_record.save(root, tallies).relative_to(root)}")
    elif stale := changed(root, given.only):
        names = ", ".join(exercise.label for _, exercise in stale)
        print(f"not in {mutant_record.FILE} as they stand: {names}. Fix: {COMMAND}")
    weak = [tally.label for tally in tallies if tally.share < TARGET]
    if weak:
        wanted = f"expected {TARGET:.0%} of the mutants killed"
        print(f"{wanted}, got less in {', '.join(weak)}. Fix: test more.", file=sys.stderr)
    return int(bool(weak))


def _check_lists(root: Path) -> None:
    """Refuse lists of equivalent mutants that name unknown exercises."""
    pairs = course_exercises(root)
    for notebook in {notebook.chapter: notebook for notebook, _ in pairs}.values():
        labels = {e.label for other, e in pairs if other.chapter == notebook.chapter}
        mutant_equivalents.check_labels(notebook, labels)


def _tally(
    notebook: Notebook,
    exercise: Exercise,
    listed: Sequence[Equivalent],
    pairs: Sequence[tuple[Mutant, Outcome]],
) -> Tally:
    """Count what became of the mutants."""
    ways = Counter(outcome.which for _, outcome in pairs if not outcome.passed)
    left = [_slip(mutant, listed) for mutant, outcome in pairs if outcome.passed]
    return Tally(
        label=exercise.label,
        notebook=notebook.key,
        fingerprint=fingerprint(exercise, listed),
        mutants=len(pairs),
        by_visible=ways["visible"] + ways["candidate"],
        by_hidden=ways["hidden"],
        by_limit=ways["limit"],
        equivalent=tuple(slip for slip in left if slip.reason),
        survivors=tuple(slip for slip in left if not slip.reason),
    )


def _slip(mutant: Mutant, listed: Sequence[Equivalent]) -> Slip:
    """A mutant that passed, with the reason if it is listed."""
    reason = next((entry.reason for entry in listed if entry.describes(mutant)), "")
    return Slip(
        kind=mutant.kind,
        line=mutant.line,
        was=mutant.was,
        becomes=mutant.becomes,
        reason=reason,
    )


def _misplaced(notebook: Notebook, exercise: Exercise, entry: Equivalent, why: str) -> CourseError:
    """The error for an entry of the list that should not be there."""
    path = shown(notebook.path.parent / mutant_equivalents.FILE)
    return CourseError(
        f"{path}: {exercise.label}: expected a mutant that no test can kill, got "
        f"{entry.was!r} → {entry.becomes!r}: {why}. Fix: remove the entry."
    )


def _told(tally: Tally) -> str:
    """One result in a line."""
    equal = f", {len(tally.equivalent)} equivalent" if tally.equivalent else ""
    return (
        f"{tally.label}: {tally.killed} of {tally.mutants} mutants killed{equal} "
        f"({tally.share:.0%})"
    )


if __name__ == "__main__":
    sys.exit(main())
