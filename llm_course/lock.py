"""One writer at a time: a lock on a folder that names who holds it.

The operating system frees the lock when its holder ends, however it ends, so a lock never has to be
removed by hand.
"""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from llm_course.errors import CourseError

FILE = ".lock"


@contextmanager
def locked(folder: Path, *, wait: bool = False, who: str = "grader") -> Iterator[None]:
    """Hold the lock of a folder.

    Args:
        folder: what is written to; it is made if it is missing.
        wait: wait for another writer to end instead of refusing.
        who: what the writers are called.

    Raises:
        CourseError: another writer holds it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / FILE).open("a+")
    except OSError as error:
        raise CourseError(
            f"{folder}: expected a folder for its results, got {error.strerror}. "
            "Fix: name another one with --out"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise CourseError(
                f"{folder}: another {who} is at work there ({_holder(folder)}). "
                "Fix: let it finish, or use --wait"
            ) from None
        file.seek(0)
        file.truncate()
        held = {"pid": os.getpid(), "host": platform.node(), "since": _now()}
        file.write(json.dumps(held))
        file.flush()
        yield


def _holder(folder: Path) -> str:
    """Who holds the lock, as it wrote itself."""
    try:
        held = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return f"process {held['pid']} on {held['host']} since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has just begun"


def _now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
