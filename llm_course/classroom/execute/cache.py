"""When an executed notebook is still good: its key, and the record kept beside it.

The key is a hash of everything that the page shows or that its numbers come from: the chapter's
text, the package files it imports, the lock, the Python version and the parameters. The record
``<name>.json`` holds the key, the hash of the executed file and what the run cost. A record or a
file that is damaged counts as absent.
"""

import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from llm_course.classroom.course import Notebook
from llm_course.classroom.execute.imports import imported_files
from llm_course.files import atomic_write

FORMAT = 2
"""Raised by one when executed notebooks are written in another way, so that all run again."""

LOCKS = ("constraints.txt", "materials.txt")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of one executed notebook.

    Attributes:
        key: the cache key it was executed under.
        sha256: the hash of the executed file.
        source: the hash of the chapter's text.
        seconds: wall-clock time of the run.
        peak_bytes: peak resident memory of its kernel, None where the system does not tell.
        device_peak_bytes: peak memory allocated on the GPU, None on a CPU.
    """

    key: str
    sha256: str
    source: str
    seconds: float
    peak_bytes: int | None
    device_peak_bytes: int | None


def source_hash(notebook: Notebook) -> str:
    """The hash of the chapter's text, by which a later run is told from an earlier one."""
    return hashlib.sha256(notebook.path.read_bytes()).hexdigest()


def cache_key(
    notebook: Notebook, cells: Iterable[str], root: Path, parameters: dict[str, object]
) -> str:
    """The key under which `notebook` is executed.

    Args:
        notebook: the chapter; its whole text counts, because prose is part of the page.
        cells: the text of its code cells.
        root: the repository.
        parameters: the papermill parameters.
    """
    digest = hashlib.sha256()
    locks = [root / name for name in LOCKS if (root / name).is_file()]
    for path in (notebook.path, *imported_files(cells, root), *locks):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    circumstances = [FORMAT, platform.python_version(), sorted(parameters.items())]
    digest.update(json.dumps(circumstances).encode())
    return digest.hexdigest()


def record_path(executed: Path) -> Path:
    """Where the record of an executed notebook lies.

    >>> record_path(Path("build/executed/cpu/07_attention/self_attention.ipynb")).name
    'self_attention.json'
    """
    return executed.with_suffix(".json")


def read_record(executed: Path) -> Record | None:
    """The record of `executed`, or None when there is none or it cannot be read."""
    try:
        fields = json.loads(record_path(executed).read_text(encoding="utf-8"))
        record = Record(**fields)
    except (OSError, ValueError, TypeError):
        return None
    return record if isinstance(record.seconds, int | float) else None


def hit(executed: Path, key: str) -> Record | None:
    """The record of `executed` if it was made under `key` and is whole, else None."""
    record = read_record(executed)
    if record is None or record.key != key or not executed.is_file():
        return None
    whole = hashlib.sha256(executed.read_bytes()).hexdigest() == record.sha256
    return record if whole else None


def store(executed: Path, text: str, record: Record) -> None:
    """Write the executed notebook, then its record.

    Killed between the two, the old record no longer fits the new file, and the notebook is
    executed again.
    """
    atomic_write(executed, text)
    atomic_write(record_path(executed), json.dumps(asdict(record), indent=1) + "\n")


def text_hash(text: str) -> str:
    """The hash that a record keeps of the executed file.

    >>> text_hash("")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text.encode()).hexdigest()
