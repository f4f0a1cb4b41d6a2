"""Finding what was handed in: folders by student, flat exports of learning platforms, zips.

A notebook is matched by its file name with the notebooks that were asked for; the student is who
the folder, or the beginning of the file name, says. Nothing is lost in silence: each notebook file
is a submission or is named in a problem.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from llm_course.classroom.grade.intake.archives import File, Files
from llm_course.classroom.grade.marking.assignment import Assignment
from llm_course.errors import CourseError

_COPY = re.compile(r"(?:[-_ ]?\((?P<a>\d+)\)|-(?P<b>\d{1,2})|_late)+$", re.IGNORECASE)
_PLATFORM = re.compile(r"(_\d+)+(_assignsubmission_file_?)?$|_(LATE_)?\d+_\d+_?$|_+$")
LONGEST_NAME = 80


@dataclass(frozen=True)
class Submission:
    """One notebook of one student, as it was handed in."""

    student: str
    chapter: str
    notebook: str
    path: str
    data: bytes
    handed_in: datetime | None = None

    @property
    def key(self) -> str:
        """Which assignment it answers."""
        return f"{self.chapter}/{self.notebook}"

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Collection:
    """What was found: the submissions in a fixed order, and a sentence for everything else."""

    submissions: tuple[Submission, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """A file that answers an assignment."""

    raw: str
    assignment: Assignment
    attempt: int
    file: File

    @property
    def name(self) -> PurePosixPath:
        """The file's name."""
        return self.file.name


def collect(path: Path, assignments: Sequence[Assignment]) -> Collection:
    """The submissions below a folder or in a zip.

    Raises:
        CourseError: there is no such folder or zip, or no notebook in it.
    """
    if not path.exists() or not (path.is_dir() or path.suffix.lower() == ".zip"):
        raise CourseError(
            f"{path}: expected a folder or a zip of submissions. Fix: name the one to grade"
        )
    files = Files(path)
    found, problems = [], files.problems
    notebooks = files.found()
    if not notebooks and not problems:
        raise CourseError(
            f"{path}: expected notebooks, such as ada/07_attention/self_attention.ipynb, got none. "
            "Fix: name the folder that holds them"
        )
    for file in notebooks:
        match = _matched(file, assignments)
        if match is None:
            known = ", ".join(sorted(given.name for given in assignments))
            problems.append(f"{file.name}: is none of the notebooks asked for ({known}).")
        else:
            found.append(match)
    submissions = _chosen(found, problems)
    problems += _missing(submissions, assignments)
    return Collection(tuple(submissions), tuple(problems))


def student_id(raw: str) -> str:
    """A student's name as an id that is safe in files and tables.

    >>> student_id("Ada Lovelace_1234_assignsubmission_file_"), student_id("../../etc")
    ('Ada_Lovelace', 'etc')
    """
    plain = unicodedata.normalize("NFKD", _PLATFORM.sub("", raw.strip()))
    ascii_only = plain.encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._@-]+", "_", ascii_only).strip("._-")[:LONGEST_NAME]


def matched_notebook(stem: str, names: Sequence[str]) -> str | None:
    """Which notebook a file is by its name, whatever a platform put around it.

    >>> matched_notebook("ada_self_attention-1", ["self_attention"])
    'self_attention'
    """
    stem, _ = _without_attempt(stem)
    fitting = [name for name in names if stem == name or re.search(rf"[_\- ]{name}$", stem)]
    return max(fitting, key=len, default=None)


def _matched(file: File, assignments: Sequence[Assignment]) -> _Found | None:
    """Which assignment a file answers, and whose it is."""
    name = file.name
    stem, attempt = _without_attempt(name.stem)
    best = None
    for given in assignments:
        if stem == given.name:
            raw, rank = _by_folder(name, given), len(given.name) + 1
        elif re.search(rf"[_\- ]{re.escape(given.name)}$", stem):
            raw, rank = stem[: -len(given.name)].rstrip("_- "), len(given.name)
        else:
            continue
        named_chapter = given.chapter in name.parts
        if best is None or (named_chapter, rank) > best[:2]:
            best = (named_chapter, rank, _Found(raw, given, attempt, file))
    return best[2] if best and best[2].raw else None


def _by_folder(name: PurePosixPath, given: Assignment) -> str:
    """The folder that says whose a file is: the first above it that is not the chapter."""
    folders = [part for part in name.parts[:-1] if part != given.chapter]
    return folders[-1] if folders else ""


def _without_attempt(stem: str) -> tuple[str, int]:
    """A file's stem without the number that a platform or browser put behind it, and the number.

    >>> _without_attempt("self_attention-2"), _without_attempt("self_attention (1)")
    (('self_attention', 2), ('self_attention', 1))
    """
    found = _COPY.search(stem)
    if not found:
        return stem, 0
    return stem[: found.start()].rstrip(), int(found["a"] or found["b"] or 0)


def _chosen(found: Sequence[_Found], problems: list[str]) -> list[Submission]:
    """One submission for each student and notebook: the newest attempt."""
    ids: dict[str, str] = {}
    for file in found:
        if file.raw not in ids:
            ids[file.raw] = _distinct(student_id(file.raw), file.raw, ids, problems)
    newest: dict[tuple[str, str], _Found] = {}
    for file in sorted(found, key=lambda file: (file.attempt, file.name.as_posix())):
        key = ids[file.raw], file.assignment.key
        if key in newest:
            problems.append(f"{newest[key].name}: was handed in again as {file.name}, graded here.")
        newest[key] = file
    return [
        Submission(
            student=student,
            chapter=found.assignment.chapter,
            notebook=found.assignment.name,
            path=str(found.name),
            data=found.file.data,
            handed_in=found.file.handed_in,
        )
        for (student, _), found in sorted(newest.items(), key=lambda item: item[0])
    ]


def _distinct(wanted: str, raw: str, ids: dict[str, str], problems: list[str]) -> str:
    """An id that nobody else has; two spellings of one platform name are one student."""
    digest = hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()[:6]
    wanted = wanted or f"student-{digest}"
    same = [other for other, given in ids.items() if given == wanted]
    if not same or any(_PLATFORM.sub("", o) == _PLATFORM.sub("", raw) for o in same):
        return wanted
    problems.append(f"{raw!r} and {same[0]!r} look alike; the first is called {wanted}-{digest}.")
    return f"{wanted}-{digest}"


def _missing(submissions: Sequence[Submission], assignments: Sequence[Assignment]) -> list[str]:
    """Notebooks of a chapter that a student did not hand in with the others."""
    there = {(s.student, s.key) for s in submissions}
    return [
        f"{student}: handed in no {given.key}; it counts 0 of {given.points:g} points."
        for student in sorted({s.student for s in submissions})
        for given in assignments
        if (student, given.key) not in there
        and any(s.student == student and s.chapter == given.chapter for s in submissions)
    ]
