"""The book's page on how good the tests are: what became of the mutants of each exercise.

It is made from the record in ``book/mutants.json``; nothing is run. A mutant shows a line of the
solution, so only the instructor's edition shows them.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from llm_course.classroom.book.strip import Edition
from llm_course.classroom.grade.mutation import mutant_record
from llm_course.classroom.grade.mutation.mutant_record import COMMAND, TARGET, Pair, Slip, Tally

ABOUT = """# How good are the tests?

Tests that never fail tell nothing. So the tests of every exercise are tested: the reference \
solution is copied with one small mistake at a time, and the tests must fail on each copy. Such a \
copy is a **mutant**: a flipped comparison, a number off by one, a dropped term, swapped operands, \
a dropped argument, axes in another order.

Killed
: a test failed, as it should; by the *visible* test, by the *hidden* one, or by a *limit*, \
because the mutant looped or used up the memory

Equivalent
: it does what the solution does on every input that the exercise admits, so no test can tell; \
each is listed with its reason

Survivors
: mistakes that would get full marks"""

HEAD = (
    "| Exercise | Mutants | by visible | by hidden | by limit | Equivalent | Survivors | Killed |",
    "|---|--:|--:|--:|--:|--:|--:|--:|",
)


def render_page(root: Path, *, edition: Edition = "reader") -> str:
    """The page, in MyST.

    Args:
        root: the repository.
        edition: the reader's shows counts, the instructor's shows the mutants too.

    Raises:
        CourseError: the record cannot be read.
    """
    record = mutant_record.load(root)
    pairs = mutant_record.course_exercises(root)
    parts = [ABOUT, _summary(record, pairs), _made_with(root)]
    for chapter, group in groupby(pairs, key=lambda pair: pair[0].chapter):
        number, _, words = chapter.partition("_")
        members = list(group)
        rows = [_row(record.get(pair[1].label), pair) for pair in members]
        parts += [f"## Chapter {int(number)}: {words.replace('_', ' ')}"]
        parts.append("\n".join([*HEAD, *rows]))
        if edition == "instructor":
            parts += _mutants([record[e.label] for _, e in members if e.label in record])
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(record: dict[str, Tally], pairs: Sequence[Pair]) -> str:
    """How the course fares in all."""
    found = [record[exercise.label] for _, exercise in pairs if exercise.label in record]
    killed = sum(tally.killed for tally in found)
    can_be = killed + sum(len(tally.survivors) for tally in found)
    if not can_be:
        return "No run has been recorded yet."
    lowest = min(tally.share for tally in found)
    return (
        f"**{killed:,} of {can_be:,}** mutants that can be killed are ({killed / can_be:.1%}), in "
        f"{len(found)} of {len(pairs)} exercises; the lowest share of an exercise is {lowest:.0%}, "
        f"at least {TARGET:.0%} is demanded."
    )


def _made_with(root: Path) -> str:
    """Which command and versions the record is from."""
    told = ", ".join(f"{name} {version}" for name, version in mutant_record.versions(root).items())
    return f"*Recorded by `{COMMAND}`; {told}.*" if told else ""


def _row(tally: Tally | None, pair: Pair) -> str:
    """One exercise."""
    notebook, exercise = pair
    link = f"{{ref}}`{exercise.label.removeprefix('ex-')} <{exercise.label}>`"
    if tally is None:
        return f"| {link} | to come | | | | | | |"
    ways = (tally.by_visible, tally.by_hidden, tally.by_limit)
    left = (len(tally.equivalent), len(tally.survivors))
    share = f"{tally.share:.0%}"
    if not mutant_record.holds(tally, notebook, exercise):
        share += " (↻ stale)"
    counts = " | ".join(map(str, (tally.mutants, *ways, *left)))
    return f"| {link} | {counts} | {share} |"


def _mutants(tallies: Sequence[Tally]) -> list[str]:
    """The mutants of a chapter that live, and why some cannot be killed."""
    parts = []
    for title, field in (("Survivors", "survivors"), ("Equivalent mutants", "equivalent")):
        items = [_item(tally, slip) for tally in tallies for slip in getattr(tally, field)]
        if items:
            parts += [f"**{title}**", "\n".join(items)]
    return parts


def _item(tally: Tally, slip: Slip) -> str:
    """One mutant: where it is, its line before and after, and the reason."""
    name = tally.label.removeprefix("ex-")
    reason = f". {slip.reason}" if slip.reason else ""
    where = f"{name}, line {slip.line} of the answer, {slip.kind}"
    return f"- {where}: {_code(slip.was)} becomes {_code(slip.becomes)}{reason}"


def _code(text: str) -> str:
    """Text as inline code, whatever it holds.

    >>> print(_code("a`b"))
    ``a`b``
    """
    longest = max((len(run) for run in _runs(text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}"


def _runs(text: str) -> list[str]:
    """The runs of backticks in a text."""
    return ["".join(group) for sign, group in groupby(text) if sign == "`"]
