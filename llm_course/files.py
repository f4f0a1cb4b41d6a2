"""Files that are never half-written, and the one place where downloads and conversions are cached.

Leaves out locking: two processes that convert the same model write two temporary files, and the
later rename wins with the same content.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llm_course.errors import CourseError


def cache_dir() -> Path:
    """Where converted models are kept: `$LLM_COURSE_CACHE`, else `~/.cache/llm-course`.

    >>> os.environ["LLM_COURSE_CACHE"] = "/tmp/elsewhere"
    >>> str(cache_dir())
    '/tmp/elsewhere'
    >>> del os.environ["LLM_COURSE_CACHE"]
    """
    configured = os.environ.get("LLM_COURSE_CACHE")
    return Path(configured) if configured else Path.home() / ".cache" / "llm-course"


_REASONS = {
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "the folder cannot be written",
    errno.EROFS: "the folder cannot be written",
    errno.EPERM: "the folder cannot be written",
}
# Said of making the folder alone: inside the block they may be about another file.
_NO_FOLDER = {
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EEXIST: "a part of this path is a file, not a folder",
    errno.ENOENT: "the folder cannot be made",
}


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `target`, and rename it to `target` if the block succeeds.

    A reader sees the old file or the new one, never a part. If the block fails, the temporary
    file is removed and `target` stays as it was.

    Raises:
        CourseError: the disk is full or the folder cannot be written.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "a.txt") as path:
    ...     _ = path.write_text("whole")
    >>> [p.name for p in folder.iterdir()], (folder / "a.txt").read_text()
    (['a.txt'], 'whole')
    """
    target = Path(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    reasons = _REASONS | _NO_FOLDER
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        reasons = _REASONS
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        if reason := reasons.get(error.errno):
            raise CourseError(
                f"{target}: {reason}; nothing was left behind. {_fix(target)}"
            ) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _fix(target: Path) -> str:
    """What to do when `target` cannot be written."""
    if target.is_relative_to(cache_dir()):
        return "Fix: free some space there, or set LLM_COURSE_CACHE to another folder."
    return "Fix: free some space there, or make the folder writable."


def atomic_write(target: str | os.PathLike[str], content: str | bytes) -> None:
    """Write `content` (text as UTF-8) to `target` through `atomic_path`."""
    data = content.encode() if isinstance(content, str) else content
    with atomic_path(target) as path:
        path.write_bytes(data)
