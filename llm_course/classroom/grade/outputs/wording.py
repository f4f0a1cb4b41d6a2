"""What a report says to a student, in kind and exact sentences."""

import re
from typing import Literal

from llm_course.classroom.grade.marking.report import Fault, TestResult
from llm_course.classroom.grade.outputs.plain_text import number, one_line

Outcome = Literal["passed", "partly", "failed"]

LONGEST = 400  # characters of a misconception

_ABSOLUTE = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w./~%+@,;=&?-]*)?(#[\w.:-]+)?", re.ASCII)
_RELATIVE = re.compile(r"\w[\w./-]*(#[\w.:-]+)?", re.ASCII)


def outcome(test: TestResult) -> Outcome:
    """Whether a test passed; one without points fails when it has something to say.

    >>> outcome(TestResult(grade_id="t", points=1, max_points=2, hidden=False))
    'partly'
    """
    if test.passed:
        return "failed" if test.max_points == 0 and test.message else "passed"
    return "partly" if test.points > 0 else "failed"


def cost(fault: Fault, points: float, max_points: float) -> str:
    """What a fault cost, for the notebook or the exercise in which it was found.

    >>> cost(Fault(name="cell-timeout", message="", cost=True), 4, 10)
    'It may have cost up to 6 of the 10 points.'
    """
    lost = max_points - points
    if fault.blame == "grader":
        return "This was our fault, not yours, and it will not cost you points."
    if not fault.cost or lost <= 0:
        return "It cost you no points."
    return f"It may have cost up to {number(lost)} of the {number(max_points)} points."


def misconception(text: str) -> str:
    """A catalogued misconception as one kind sentence.

    >>> misconception("The mask is accepted and never used.")
    'Your answer behaves like a mistake that many make: the mask is accepted and never used.'
    >>> misconception("True is taken to mean hidden")
    'Your answer behaves like a mistake that many make: True is taken to mean hidden.'
    """
    told = one_line(text, LONGEST)
    if not told:
        return ""
    first = told.split()[0]
    if first[1:].islower() or first in ("A", "I"):
        keep = first in ("True", "False", "None", "Python", "I")
        told = told if keep else told[0].lower() + told[1:]
    told = told if told.endswith((".", "!", "?", "…")) else f"{told}."
    return f"Your answer behaves like a mistake that many make: {told}"


def title_of(chapter: str, notebook: str) -> str:
    """A readable name for a notebook whose title is not known.

    >>> title_of("07_attention", "self_attention")
    'Chapter 7: self attention'
    """
    digits, name = chapter.partition("_")[0], notebook.replace("_", " ")
    known = digits.isascii() and digits.isdigit() and len(digits) < 4
    return f"Chapter {int(digits)}: {name}" if known else f"{chapter}: {name}"


def points_told(points: float) -> str:
    """An amount of points.

    >>> points_told(1), points_told(2.5)
    ('1 point', '2.5 points')
    """
    text = number(points)
    return f"{text} point" if text == "1" else f"{text} points"


def address(link: str, book: str) -> str:
    """The address of a section of the book, "" when the link names no web page.

    Args:
        link: what the report names: a whole address or one inside the book.
        book: where the book is published, "" when that is not known.

    >>> address("07_attention/self_attention.html#scaled", "https://example.org/book/")
    'https://example.org/book/07_attention/self_attention.html#scaled'
    >>> address("javascript:alert(1)", "https://example.org/book/")
    ''
    """
    if _ABSOLUTE.fullmatch(link):
        return link
    if book and in_book(link):
        return f"{book.rstrip('/')}/{link}"
    return ""


def in_book(link: str) -> bool:
    """Whether a link names a place inside the book."""
    return bool(_RELATIVE.fullmatch(link)) and ".." not in link and "//" not in link


def is_address(text: str) -> bool:
    """Whether a text is the address of a web page."""
    return bool(_ABSOLUTE.fullmatch(text))
