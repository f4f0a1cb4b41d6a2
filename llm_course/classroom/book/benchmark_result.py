"""What a benchmark leaves behind: its table on the screen and a JSON file for the book's page."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from llm_course.files import atomic_write
from llm_course.provenance import circumstances

Row = Sequence[str | int | float]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a column of ratios was to reach; whether it did is read off the table by the page.

    Args:
        column: its head.
        least: the smallest ratio that is good enough, if larger is better.
        most: the largest that is, if smaller is better.
        rows: the rows that the goal is for, by their first cell; all of them if none is named.
        reason: why it is missed where it is.
    """

    column: str
    least: float | None = None
    most: float | None = None
    rows: tuple[str, ...] = ()
    reason: str = ""


def record_result(
    path: Path,
    *,
    title: str,
    what: str,
    command: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    packages: Sequence[str],
    goals: Sequence[Goal] = (),
    device: str | None = None,
) -> None:
    """Print a benchmark's table and write it, with date, machine and versions, for the page.

    Args:
        path: the JSON file, replaced whole.
        title: the section's heading.
        what: what was compared, and how.
        command: what a reader types to measure again.
        columns: the table's head.
        rows: the table, each row as long as ``columns``; none if nothing could be measured here.
        packages: the distributions whose versions matter.
        goals: what the ratios were to reach.
        device: what computed, if it was not the machine's processor.

    Raises:
        ValueError: a row is longer or shorter than the head, or a goal's column is not in it.
    """
    for place, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(f"rows: expected {len(columns)} cells, got {len(row)} in row {place}.")
    for goal in goals:
        if goal.column not in columns or (goal.least is None) == (goal.most is None):
            raise ValueError(
                f"goals: expected one of the columns and either least or most, got {goal}."
            )
    width = 2 + max(len(str(cell)) for row in (columns, *rows) for cell in row)
    for row in (columns, *rows):
        print("".join(f"{cell!s:>{width}}" for cell in row))
    found = circumstances(*packages)
    result = {
        "title": title,
        "what": what,
        "command": command,
        **found,
        "machine": device or found["machine"],
        "columns": list(columns),
        "rows": [list(row) for row in rows],
        "goals": [asdict(goal) for goal in goals],
    }
    atomic_write(path, json.dumps(result, indent=1) + "\n")
