"""The topics of the course, as ``book/topics.yml`` lists them.

Reads and validates the list's own form. Whether the things it names exist is checked in
`coverage_checks`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from llm_course.errors import CourseError

Tick = Literal["code", "lesson", "exercise", "book", "gpu"]
TICKS: tuple[Tick, ...] = get_args(Tick)

FILE = "book/topics.yml"

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CHAPTER = re.compile(r"\d\d_[a-z][a-z0-9_]*")
_SURVEY_WITHOUT: tuple[Tick, ...] = ("code", "exercise", "gpu")


@dataclass(frozen=True)
class Lesson:
    """Where a topic is taught: the notebook's key and the heading of the section."""

    notebook: str
    section: str


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic.

    Attributes:
        id: the name that stays when the title changes.
        chapter: the chapter's folder name.
        title: what the reader calls it.
        line: its line in the list.
        code: dotted names of the package's symbols.
        proof: tests, as ``file::name``.
        lesson: where it is taught, None when that is to come.
        exercises: for each exercise the topics that it builds on.
        beyond: whether the bootcamp's slides leave it out.
        survey: whether no small machine can run it.
        shown: of a survey topic, where its mechanism is shown.
        without: ticks that make no sense for it.
    """

    id: str
    chapter: str
    title: str
    line: int
    code: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    lesson: Lesson | None = None
    exercises: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beyond: bool = False
    survey: bool = False
    shown: str = ""
    without: tuple[Tick, ...] = ()


_KEYS = {f.name for f in fields(Topic)} - {"chapter", "line"}


def read_topics(root: Path) -> list[Topic]:
    """Every topic, in the order of the course.

    Raises:
        CourseError: the list is missing, or an entry has another form.
    """
    path = Path(root) / FILE
    try:
        text = path.read_text(encoding="utf-8")
        chapters = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise _wrong(1, f"expected the list of topics, got {' '.join(told.split())}") from None
    if not isinstance(chapters, dict):
        raise _wrong(1, "expected chapters, each with its topics")
    topics = []
    for chapter, entries in chapters.items():
        if not _CHAPTER.fullmatch(str(chapter)) or not isinstance(entries, list):
            raise _wrong(1, f"expected chapters such as 07_attention with a list, got {chapter!r}")
        topics += [_topic(str(chapter), entry, text) for entry in entries]
    _refuse_repetition(topics)
    return topics


def line_in(text: str, pattern: str) -> int:
    r"""The first line, from 1, that matches `pattern`; 1 when none does.

    >>> line_in("a: 1\nb: 2", "b:")
    2
    """
    numbered = enumerate(text.splitlines(), 1)
    return next((number for number, line in numbered if re.search(pattern, line)), 1)


def _topic(chapter: str, entry: Any, text: str) -> Topic:
    """One entry of the list, validated."""
    if not isinstance(entry, dict) or not _ID.fullmatch(str(entry.get("id", ""))):
        line = line_in(text, rf"^{chapter}:")
        raise _wrong(line, f"expected a topic with an id such as rms-norm, got {entry!r}")
    line = line_in(text, rf"\bid: *{entry['id']}\b(?!-)")
    if unknown := sorted(set(entry) - _KEYS):
        raise _wrong(line, f"unknown {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    if not isinstance(entry.get("title"), str):
        raise _wrong(line, "expected a title")
    survey, without = _flag(entry, "survey", line), _texts(entry, "without", line)
    if survey and not entry.get("shown"):
        raise _wrong(line, "a survey topic says in `shown` where its mechanism is shown")
    if bad := set(without) - set(TICKS):
        raise _wrong(line, f"without: expected ticks ({', '.join(TICKS)}), got {', '.join(bad)}")
    return Topic(
        id=entry["id"],
        chapter=chapter,
        title=entry["title"],
        line=line,
        code=_texts(entry, "code", line),
        proof=_texts(entry, "proof", line),
        lesson=_lesson(entry.get("lesson"), line),
        exercises=_exercises(entry.get("exercises", {}), line),
        beyond=_flag(entry, "beyond", line),
        survey=survey,
        shown=str(entry.get("shown", "")),
        without=tuple(dict.fromkeys((*(_SURVEY_WITHOUT if survey else ()), *without))),
    )


def _texts(entry: Mapping[str, Any], name: str, line: int) -> tuple[str, ...]:
    """A list of texts."""
    found = entry.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise _wrong(line, f"{name}: expected a list of texts, got {found!r}")
    return tuple(found)


def _flag(entry: Mapping[str, Any], name: str, line: int) -> bool:
    """True or false."""
    found = entry.get(name, False)
    if not isinstance(found, bool):
        raise _wrong(line, f"{name}: expected true or false, got {found!r}")
    return found


def _lesson(found: Any, line: int) -> Lesson | None:
    """The place where the topic is taught."""
    if found is None:
        return None
    if not isinstance(found, dict) or set(found) != {"notebook", "section"}:
        raise _wrong(line, f"lesson: expected {{notebook: …, section: …}}, got {found!r}")
    return Lesson(str(found["notebook"]), str(found["section"]))


def _exercises(found: Any, line: int) -> dict[str, tuple[str, ...]]:
    """The exercises, each with the topics that it builds on."""
    if not isinstance(found, dict):
        raise _wrong(line, f"exercises: expected exercise: [topics], got {found!r}")
    return {str(name): _texts(found, name, line) for name in found}


def _refuse_repetition(topics: list[Topic]) -> None:
    """Every id must stand once; an exercise may grade several topics, with the same needs."""
    seen: dict[str, Topic] = {}
    needed: dict[str, tuple[str, ...]] = {}
    for topic in topics:
        if topic.id in seen:
            raise _wrong(topic.line, f"{topic.id} stands already under {seen[topic.id].id}")
        for exercise, topics_needed in topic.exercises.items():
            if needed.setdefault(exercise, topics_needed) != topics_needed:
                raise _wrong(
                    topic.line,
                    f"{exercise}: expected {list(needed[exercise])} as above, got "
                    f"{list(topics_needed)}",
                )
        seen[topic.id] = topic


def _wrong(line: int, what: str) -> CourseError:
    """The error for an entry of another form."""
    return CourseError(f"{FILE}:{line}: {what}. Fix: correct that entry.")
