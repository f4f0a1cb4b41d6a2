"""What a check found: where, which rule, and what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One departure from the conventions.

    >>> print(Problem("solutions/a/b.md", 12, "alt-text", "show() needs alt=. Fix: add it."))
    solutions/a/b.md:12: alt-text: show() needs alt=. Fix: add it.
    """

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"
