"""What a benchmark leaves behind: its table on the screen and a JSON file for the book's page."""

import json
from collections.abc import Sequence
from pathlib import Path

from llm_course.files import atomic_write
from llm_course.provenance import circumstances

Row = Sequence[str | int | float]


def record_result(
    path: Path,
    *,
    title: str,
    what: str,
    command: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    packages: Sequence[str],
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
        device: what computed, if it was not the machine's processor.

    Raises:
        ValueError: a row is longer or shorter than the head.
    """
    for place, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(f"rows: expected {len(columns)} cells, got {len(row)} in row {place}.")
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
    }
    atomic_write(path, json.dumps(result, indent=1) + "\n")
