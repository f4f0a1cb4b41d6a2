"""Exercises are numbered by their labels: ``ex-06-2-prefix-mask`` is Exercise 6.2 everywhere.

Left alone, Sphinx counts through the book, and the page would say another number than the notebook.
"""

import re

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_LABEL = re.compile(r"ex-(\d+)-(\d+)-")


def exercise_number(label: str) -> tuple[int, int] | None:
    """Chapter and number of an exercise, or None if the label is no exercise's.

    >>> exercise_number("ex-06-2-prefix-mask"), exercise_number("fig-06-masks")
    ((6, 2), None)
    """
    found = _LABEL.match(label)
    return (int(found[1]), int(found[2])) if found else None


def number_exercises(app: Sphinx, env: BuildEnvironment) -> None:
    """Give every numbered exercise the number of its label."""
    for kinds in env.toc_fignumbers.values():
        for numbers in kinds.values():
            named = {label: exercise_number(label) for label in numbers}
            numbers.update({label: number for label, number in named.items() if number})


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx, after it has counted."""
    app.connect("env-updated", number_exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
