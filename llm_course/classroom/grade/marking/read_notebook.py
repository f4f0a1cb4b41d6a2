"""Reading a file that should be a notebook, and may be anything.

Nothing here trusts a type or a size: what cannot be used is left out and named.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_course.classroom.grade.marking.report import Fault

LARGEST_FILE = 20 * 2**20  # bytes
LONGEST_CELL = 200_000  # characters
MOST_CELLS = 2_000


@dataclass(frozen=True)
class Cell:
    """One cell: its type (``code``, ``markdown``, …), its grade id or "", and its source."""

    kind: str
    grade_id: str
    source: str


@dataclass(frozen=True)
class Read:
    """What a file holds: its cells, or None if it is no notebook."""

    cells: list[Cell] | None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def read_cells(data: bytes) -> Read:
    """The cells of a notebook file; it never raises.

    >>> read_cells(b"not a notebook").faults[0].name
    'unreadable-notebook'
    """
    if len(data) > LARGEST_FILE:
        size = f"at most {LARGEST_FILE // 2**20} MB, got {len(data) / 2**20:.0f} MB"
        return _unreadable(f"expected a file of {size}. Clear the outputs and hand it in again.")
    try:
        found = json.loads(_decoded(data))
    except (ValueError, RecursionError, MemoryError):
        return _unreadable(
            "expected a notebook in JSON, got a file that is damaged or cut off. Open it in "
            "JupyterLab, save it, and hand it in again."
        )
    if not isinstance(found, dict):
        return _unreadable("expected a notebook, got another JSON file. Hand in the .ipynb file.")
    cells = found.get("cells")
    if cells is None and isinstance(found.get("worksheets"), list):
        cells = [c for sheet in found["worksheets"] for c in _list(sheet, "cells")]
    if not isinstance(cells, list):
        return _unreadable("expected a notebook with cells, got none. Hand in the .ipynb file.")
    return _read(cells, found.get("metadata"))


def _read(cells: list[Any], metadata: Any) -> Read:
    """The usable cells, and faults for the others."""
    faults: list[Fault] = []
    if len(cells) > MOST_CELLS:
        faults.append(
            Fault(
                name="too-many-cells",
                message=f"Expected at most {MOST_CELLS:,} cells, got {len(cells):,}; the others "
                "were not read.",
                cost=True,
            )
        )
    read, broken = [], 0
    for found in cells[:MOST_CELLS]:
        cell = _cell(found)
        if cell is None:
            broken += 1
        elif len(cell.source) > LONGEST_CELL:
            faults.append(
                Fault(
                    name="cell-too-long",
                    message=f"A cell holds {len(cell.source):,} characters, more than the "
                    f"{LONGEST_CELL:,} that are read; it was left out.",
                    cost=True,
                )
            )
        else:
            read.append(cell)
    if broken:
        faults.append(
            Fault(
                name="broken-cell",
                message=f"{broken} cells are damaged and were left out. Open the notebook in "
                "JupyterLab, look for empty cells, and hand it in again.",
                cost=True,
            )
        )
    return Read(read, metadata if isinstance(metadata, dict) else {}, tuple(faults))


def _decoded(data: bytes) -> str:
    """The text of a file, by its byte order mark if it has one."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding)
    return data.decode("utf-8-sig")


def _cell(found: Any) -> Cell | None:
    """A cell, or None when it is none."""
    if not isinstance(found, dict):
        return None
    source = found.get("source", found.get("input", ""))
    if isinstance(source, list):
        if not all(isinstance(line, str) for line in source):
            return None
        source = "".join(source)
    if not isinstance(source, str):
        return None
    kind = found.get("cell_type")
    metadata = found.get("metadata")
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = grading.get("grade_id") if isinstance(grading, dict) else ""
    # Lone surrogates cannot be sent or stored; they become question marks.
    clean = source.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return Cell(
        kind if isinstance(kind, str) else "code", name if isinstance(name, str) else "", clean
    )


def _list(found: Any, name: str) -> list[Any]:
    """A list inside an object, empty when there is none."""
    inside = found.get(name) if isinstance(found, dict) else None
    return inside if isinstance(inside, list) else []


def _unreadable(what: str) -> Read:
    """A file that cannot be graded."""
    return Read(None, {}, (Fault(name="unreadable-notebook", message=what, cost=True),))
