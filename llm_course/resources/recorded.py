"""Experiments that were run once, kept as a table with what it takes to run them again.

A lesson runs a small version live and shows the recorded one beside it, with its provenance.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_course.errors import CourseError
from llm_course.files import atomic_path
from llm_course.provenance import circumstances

FOLDER = Path(__file__).parent / "results"
"""Where the recorded tables lie, two files each: ``NAME.csv`` and ``NAME.json``."""

_NEEDED = ("command", "config", "seeds", "versions", "machine", "date")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A recorded experiment.

    Args:
        rows: one mapping for each run; numbers are numbers, everything else is text.
        provenance: command, config, seeds, versions, machine and date.
    """

    rows: list[dict[str, float | str]]
    provenance: dict[str, object]

    def source(self) -> str:
        """One sentence for a figure or a card: where the numbers come from."""
        made = self.provenance
        return f"Recorded on {made['date']}, {made['machine']}, by `{made['command']}`."


def record(
    name: str,
    rows: Sequence[Mapping[str, float | str]],
    *,
    command: str,
    config: Mapping[str, object],
    seeds: Sequence[int],
    folder: Path = FOLDER,
) -> None:
    """Write a table and its provenance, each whole or not at all.

    Args:
        name: of the two files.
        rows: the runs, all with the same columns.
        command: what a reader types to make the table again.
        config: every number that the runs depend on.
        seeds: of the random numbers.
        folder: where to; it must exist.

    Raises:
        ValueError: there are no rows, or their columns differ.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> record("toy", [{"kind": "pre", "loss": 2.5}], command="python -m toy", config={"n": 3},
    ...        seeds=[0], folder=folder)
    >>> load_recorded("toy", folder).rows
    [{'kind': 'pre', 'loss': 2.5}]
    """
    if not rows:
        raise ValueError("rows: expected at least one, got none.")
    columns = list(rows[0])
    for place, row in enumerate(rows):
        if list(row) != columns:
            raise ValueError(f"rows: expected the columns {columns}, got {list(row)} in {place}.")
    provenance = {
        "command": command,
        "config": dict(config),
        "seeds": list(seeds),
        **circumstances("torch", "numpy"),
    }
    with atomic_path(folder / f"{name}.csv") as path, path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with atomic_path(folder / f"{name}.json") as path:
        path.write_text(json.dumps(provenance, indent=1) + "\n")


def load_recorded(name: str, folder: Path = FOLDER) -> Recorded:
    """Read a recorded experiment.

    Raises:
        CourseError: a file is missing, or the provenance is not complete.
    """
    try:
        with (folder / f"{name}.csv").open(newline="") as file:
            rows = [
                {key: _number(cell) for key, cell in row.items()} for row in csv.DictReader(file)
            ]
        provenance = json.loads((folder / f"{name}.json").read_text())
    except FileNotFoundError as error:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.csv"))) or "none"
        raise CourseError(
            f"name: expected a recorded experiment ({known}), got {name!r}: no {error.filename}."
        ) from error
    missing = [key for key in _NEEDED if key not in provenance]
    if missing:
        raise CourseError(f"{name}.json: expected {', '.join(_NEEDED)}, missing {missing}.")
    return Recorded(rows=rows, provenance=provenance)


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell
