"""Rules: a rule looks at a text and says why it should go, or nothing.

The rules themselves are in ``gopher`` and ``c4``; here is how they are applied. The name of a rule
is its key in the mapping, and becomes the reason that is counted.

>>> rules = {"too short": lambda text: f"{len(text)} characters" if len(text) < 3 else None}
>>> violations("ab", rules)
{'too short': '2 characters'}
"""

from collections.abc import Callable, Mapping

from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Outcome, Removed, Stage, each

Rule = Callable[[str], str | None]


def violations(text: str, rules: Mapping[str, Rule]) -> dict[str, str]:
    """Every rule that the text breaks, with what the rule says of it."""
    found = {name: rule(text) for name, rule in rules.items()}
    return {name: detail for name, detail in found.items() if detail is not None}


def rule_filter(rules: Mapping[str, Rule]) -> Stage:
    """The stage that removes a document at the first rule that its text breaks."""

    def judge(document: Document) -> Outcome:
        for name, rule in rules.items():
            detail = rule(document.text)
            if detail is not None:
                return Removed(document, name, detail)
        return Kept(document)

    return each(judge)


def outside(value: float, low: float, high: float, what: str) -> str | None:
    """Say that a value is not from ``low`` to ``high``, or nothing.

    >>> outside(2.5, 3, 10, "mean word length")
    'mean word length 2.5, expected 3 to 10'
    """
    return None if low <= value <= high else f"{what} {value:.3g}, expected {low:g} to {high:g}"


def above(value: float, limit: float, what: str) -> str | None:
    """Say that a value is above its limit, or nothing.

    >>> above(0.25, 0.1, "symbols to words")
    'symbols to words 0.25, expected at most 0.1'
    """
    return None if value <= limit else f"{what} {value:.3g}, expected at most {limit:g}"
