"""Which answers look alike: by winnowed fingerprints of their tokens, names and spacing aside.

A report is a reason to talk, never a proof: short answers to one question are alike by nature. What
every student was given (the stubs) does not count. The package's own functions are compared too.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from copydetect import CodeFingerprint, compare_files

from llm_course.classroom.grade.marking.report import Report
from llm_course.classroom.grade.outputs.tables import rows_as_csv

# Characters in a row, once names are one letter each, that count as a trace; after Schleimer,
# Wilkerson and Aiken 2003 (winnowing).
TRACE, WINDOW = 25, 4
SHORTEST = 120  # such characters, below which likeness says nothing
LEAST = 0.8
COLUMNS = ("notebook", "student", "other", "share of the student's", "share of the other's")


@dataclass(frozen=True, order=True)
class Likeness:
    """Two answers that look alike, and how much of each stands in the other."""

    notebook: str
    student: str
    other: str
    share: float
    other_share: float


def alike(
    reports: Sequence[Report],
    stubs: Mapping[str, str],
    package: Mapping[str, str] | None = None,
    least: float = LEAST,
) -> list[Likeness]:
    """The pairs of answers, of one notebook each, of which one stands in the other.

    Args:
        reports: the class.
        stubs: what students were given, by notebook (``chapter/notebook``).
        package: sources of the course, by name, to compare with as well.
        least: the share from which on a pair is reported.
    """
    found = []
    for key in sorted({f"{r.chapter}/{r.notebook}" for r in reports}):
        given = _print("stubs", stubs.get(key, ""), ())
        own = [r for r in reports if f"{r.chapter}/{r.notebook}" == key]
        texts = {r.student: "\n\n".join(q.answer for q in r.questions) for r in own}
        prints = [_print(name, text, given.hashes) for name, text in sorted(texts.items())]
        others = [_print(name, text, given.hashes) for name, text in (package or {}).items()]
        pairs = [*combinations(prints, 2), *((one, other) for one in prints for other in others)]
        found += list(_judged(key, pairs, least))
    return found


def as_csv(found: Iterable[Likeness]) -> str:
    """The pairs as a table, the most alike first."""
    ordered = sorted(found, key=lambda pair: (-max(pair.share, pair.other_share), pair))
    rows = [
        (p.notebook, p.student, p.other, round(p.share, 2), round(p.other_share, 2))
        for p in ordered
    ]
    return rows_as_csv([COLUMNS, *rows])


def package_sources(package: Path) -> dict[str, str]:
    """The package's modules by name, the machinery of the classroom aside."""
    return {
        path.relative_to(package.parent).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(package.rglob("*.py"))
        if "classroom" not in path.parts and path.name != "__init__.py"
    }


def _judged(
    key: str, pairs: Iterable[tuple[CodeFingerprint, CodeFingerprint]], least: float
) -> Iterable[Likeness]:
    """The pairs that are long and alike enough."""
    for one, other in pairs:
        if min(one.token_coverage, other.token_coverage) < SHORTEST:
            continue
        _, (share, other_share), _ = compare_files(one, other)
        if max(share, other_share) >= least:
            yield Likeness(key, one.filename, other.filename, float(share), float(other_share))


def _print(name: str, text: str, given: Iterable[int]) -> CodeFingerprint:
    """The fingerprint of a text without what was given."""
    return CodeFingerprint(
        name, TRACE, WINDOW, boilerplate=list(given), language="python", fp=io.StringIO(text)
    )
