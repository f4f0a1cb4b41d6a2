"""The log of a run as a table: one line a step, readable while the run goes on.

A run that was killed and goes on from a checkpoint has logged steps after it, which it makes again:
``CsvLog`` takes those lines out first, so that the log is that of a run without interruption.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from llm_course.errors import CourseError
from llm_course.files import atomic_write

Cell = float | int | str | None


class CsvLog:
    """A CSV file to which lines are added.

    Args:
        path: of the file.
        columns: their names; the first is the step.
        first_step: where the run begins or goes on; lines of this step and later ones are removed.

    Raises:
        CourseError: the file has other columns.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "log.csv")
    >>> CsvLog(path, ["step", "loss"]).write({"step": 0, "loss": 2.5})
    >>> path.read_text()
    'step,loss\\n0,2.5\\n'
    """

    def __init__(self, path: Path, columns: Sequence[str], first_step: int = 0) -> None:
        self.path, self.columns = path, list(columns)
        lines = [_line(self.columns)]
        for row in _whole_rows(path, self.columns):
            if int(row[0]) < first_step:
                lines.append(_line(row))
        atomic_write(path, "".join(lines))

    def write(self, row: Mapping[str, Cell]) -> None:
        """Add a line, at once; None is an empty cell.

        Raises:
            ValueError: the row has other columns.
        """
        if list(row) != self.columns:
            raise ValueError(f"row: expected the columns {self.columns}, got {list(row)}.")
        cells = ["" if cell is None else _text(cell) for cell in row.values()]
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(_line(cells))


def read_csv_log(path: Path) -> list[dict[str, float | None]]:
    """The lines of a log; an empty cell is None.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "log.csv")
    >>> CsvLog(path, ["step", "loss"]).write({"step": 0, "loss": None})
    >>> read_csv_log(path)
    [{'step': 0.0, 'loss': None}]
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{key: float(cell) if cell else None for key, cell in row.items()} for row in rows]


def _whole_rows(path: Path, columns: list[str]) -> list[list[str]]:
    """The rows that are there; the last line may have been cut while it was written."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    if rows and rows[0] != columns:
        raise CourseError(
            f"{path}: expected the columns {columns}, got {rows[0]}. Fix: name another --out"
        )
    return rows[1:]


def _text(cell: float | int | str) -> str:
    """A number as Python writes it: the shortest text that reads back to the same bits."""
    return repr(cell) if isinstance(cell, float) else str(cell)


def _line(cells: Sequence[str]) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerow(cells)
    return made.getvalue()
