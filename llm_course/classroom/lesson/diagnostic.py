"""A test that nobody grades: which of the things that a course builds on want refreshing?

The reader writes a number for each question; the report names what to read again, and where.
"""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question with a number as its answer.

    Args:
        topic: what it asks for, in two or three words.
        text: the question.
        answer: the right number.
        refresh: what to read or do if it was wrong.
        tolerance: how far an answer may be off.
    """

    topic: str
    text: str
    answer: float
    refresh: str
    tolerance: float = 0.01

    def right(self, given: float) -> bool:
        """Whether an answer is near enough."""
        return math.isfinite(given) and abs(given - self.answer) <= self.tolerance


@dataclass(frozen=True)
class DiagnosticReport:
    """What came out, one line for each question; nothing but this is kept of the answers."""

    lines: tuple[tuple[str, str, str], ...]

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>"
            for line in self.lines
        )
        head = "".join(f"<th>{name}</th>" for name in ("topic", "your answer", "what to do"))
        return f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>'

    def __repr__(self) -> str:
        return "\n".join(
            f"{topic}: {found}. {advice}".rstrip() for topic, found, advice in self.lines
        )


def diagnose(
    questions: Sequence[Question], answers: Mapping[str, float | None]
) -> DiagnosticReport:
    """Hold answers against the right ones.

    Args:
        questions: what was asked.
        answers: a number for each topic; None, or no entry, where it was left open.

    Raises:
        ValueError: an answer is given to something that was not asked, or is no number.

    >>> coin = Question(topic="coins", text="Sides of a coin?", answer=2, refresh="Toss one.")
    >>> diagnose([coin], {"coins": 3})
    coins: 3 is not it. Toss one.
    >>> diagnose([coin], {"coins": 2})
    coins: right.
    """
    topics = [question.topic for question in questions]
    for topic, given in answers.items():
        if topic not in topics:
            raise ValueError(f"answers: expected some of {topics}, got {topic!r}.")
        if given is not None and (isinstance(given, bool) or not isinstance(given, int | float)):
            raise ValueError(f"answers[{topic!r}]: expected a number, got {given!r}.")
    return DiagnosticReport(tuple(_line(question, answers) for question in questions))


def _line(question: Question, answers: Mapping[str, float | None]) -> tuple[str, str, str]:
    given = answers.get(question.topic)
    if given is None:
        return question.topic, "open", "Write a number in the cell above."
    if question.right(given):
        return question.topic, "right", ""
    return question.topic, f"{given:g} is not it", question.refresh
