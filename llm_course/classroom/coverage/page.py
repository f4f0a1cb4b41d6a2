"""The coverage page: five ticks for every topic, each with what it rests on."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from llm_course.classroom.coverage.checks import State, ticks
from llm_course.classroom.coverage.evidence import Evidence
from llm_course.classroom.coverage.topics import TICKS, Tick, Topic

HEADS: dict[Tick, str] = {
    "code": "Code",
    "lesson": "Lesson",
    "exercise": "Exercise",
    "book": "Book",
    "gpu": "GPU",
}

# A mark and a word each, so that neither colour nor the mark alone carries the meaning.
WORDS: dict[State, str] = {
    "yes": "✓ done",
    "to come": "to come",
    "broken": "✗ broken",
    "stale": "↻ stale",
    "failed": "✗ failed",
    "not applicable": "n/a",
}

ABOUT = """# Coverage

What of the course exists, topic by topic. The page is made from the repository when the book is \
built; no tick is typed by hand.

Code
: an implementation in the package, and a test that compares it with an independent reference

Lesson
: a section of a notebook that runs it on real input

Exercise
: a graded task with visible and hidden tests, and plausible wrong answers that the tests catch

Book
: the executed page in this book

GPU
: the same notebook, run at full scale on a GPU; *stale* when the notebook has changed since

*n/a* marks what makes no sense for a topic: a survey topic is one that no small machine can run, \
and its entry says where its mechanism is shown."""

Judged = tuple[Topic, dict[Tick, State]]


def render(topics: Sequence[Topic], evidence: Evidence) -> str:
    """The page as MyST."""
    titles = _titles(evidence.root)
    judged = [(topic, ticks(topic, evidence)) for topic in topics]
    chapters = [(name, list(group)) for name, group in groupby(judged, key=lambda j: j[0].chapter)]
    parts = [ABOUT, _gpu_line(evidence), _totals(chapters, judged, titles)]
    for name, group in chapters:
        heads = " | ".join(HEADS[tick] for tick in TICKS)
        table = [f"| Topic | {heads} |", "|---|" + "---|" * len(TICKS)]
        table += [_row(topic, states, evidence) for topic, states in group]
        table.append(_sum_row("**Done**", group))
        parts += [f"## {_heading(name, titles)}", "\n".join(table)]
    return "\n\n".join(parts) + "\n"


def _totals(
    chapters: Sequence[tuple[str, list[Judged]]], judged: list[Judged], titles: dict[str, str]
) -> str:
    """The first table: how much of each chapter exists."""
    heads = " | ".join(HEADS[tick] for tick in TICKS)
    rows = [f"| Chapter | {heads} |", "|---|" + "---|" * len(TICKS)]
    rows += [_sum_row(_heading(name, titles), group) for name, group in chapters]
    return "\n".join([*rows, _sum_row("**The course**", judged)])


def _sum_row(name: str, group: Sequence[Judged]) -> str:
    """How many of the topics for which a tick makes sense have it."""
    cells = []
    for tick in TICKS:
        states = [states[tick] for _, states in group if states[tick] != "not applicable"]
        cells.append(f"{states.count('yes')} of {len(states)}")
    return f"| {name} | {' | '.join(cells)} |"


def _row(topic: Topic, states: dict[Tick, State], evidence: Evidence) -> str:
    """One topic."""
    title = _escaped(topic.title)
    if topic.beyond:
        title += " *(beyond the slides)*"
    if topic.survey:
        title += f" *(survey; shown in {_escaped(topic.shown)})*"
    cells = [_cell(tick, states[tick], topic, evidence) for tick in TICKS]
    return f"| {title} | {' | '.join(cells)} |"


def _cell(tick: Tick, state: State, topic: Topic, evidence: Evidence) -> str:
    """The state of a tick, with links to what it rests on."""
    kind = "tick-yes" if state == "yes" else "tick-no"
    mark = f'<span class="{kind}">{WORDS[state]}</span>'
    if state in ("to come", "broken", "not applicable"):
        return mark
    return "<br>".join([mark, *_links(tick, topic, evidence)])


def _links(tick: Tick, topic: Topic, evidence: Evidence) -> list[str]:
    """Where to look."""
    if tick == "code":
        return [f"{{py:obj}}`~{name}`" for name in topic.code]
    if tick == "exercise":
        return [f"{{ref}}`{name.removeprefix('ex-')} <{name}>`" for name in topic.exercises]
    key = topic.lesson.notebook
    if tick == "lesson":
        label = evidence.sections(key)[topic.lesson.section]
        return [f"[{_escaped(topic.lesson.section)}]({f'#{label}' if label else f'/{key}'})"]
    if tick == "book":
        return [f"[page](/{key})"]
    return [_cost(evidence.gpu_run(key))]


def _cost(run: dict[str, Any]) -> str:
    """What a recorded run took."""
    told = [f"{run['seconds']:.0f} s"] if isinstance(run.get("seconds"), int | float) else []
    if isinstance(run.get("device_peak_bytes"), int):
        told.append(f"{run['device_peak_bytes'] / 2**30:.1f} GiB")
    return ", ".join(told)


def _gpu_line(evidence: Evidence) -> str:
    """On which machine the recorded GPU run was made."""
    report = evidence.gpu_report
    if not report:
        return "No run on a GPU has been recorded yet."
    versions = report.get("versions", {})
    told = ", ".join(f"{name} {_escaped(str(version))}" for name, version in versions.items())
    return f"Recorded GPU run: {_escaped(str(report.get('device')))} ({told})."


def _titles(root: Path) -> dict[str, str]:
    """The titles of the chapters, as the agenda has them."""
    path = root / "book" / "agenda.yml"
    agenda = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {name: entry["title"] for name, entry in agenda.items()}


def _heading(chapter: str, titles: dict[str, str]) -> str:
    """A chapter's number and title."""
    number, _, name = chapter.partition("_")
    return f"Chapter {int(number)}: {_escaped(titles.get(chapter, name.replace('_', ' ')))}"


def _escaped(text: str) -> str:
    r"""Text with nothing that Markdown would read as its own.

    >>> print(_escaped("I like <PAD> | $5"))
    I like \<PAD\> \| \$5
    """
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|$" else sign for sign in text)
