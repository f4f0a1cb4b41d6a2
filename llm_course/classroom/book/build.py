"""Building the book: staged content in, one folder of self-contained HTML out.

Jupyter Book runs in a folder of its own (`build/stage/<edition>`), where only content that changed
is written again, so that Sphinx re-reads the pages that changed. The finished book replaces the
one in `build/html` in one step: a build that fails leaves the last good book where it was.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_course.classroom.book import stage
from llm_course.classroom.book.strip import Edition
from llm_course.errors import CourseError
from llm_course.files import atomic_write

_JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"
_MARK = ".built-from"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PROBLEM = re.compile(r"\b(?:WARNING|ERROR|CRITICAL): ")


@dataclass(frozen=True)
class Book:
    """A finished book: its first page, and whether this call had to build it."""

    index: Path
    rebuilt: bool


def build(
    root: Path, *, scale: str = "cpu", edition: Edition = "reader", only: Sequence[str] = ()
) -> Book:
    """Build the book of the executed chapters; do nothing when nothing changed.

    Args:
        root: the repository.
        scale: which execution of the chapters to show.
        edition: the reader's edition, without solutions, or the instructor's.
        only: the chapters or notebooks to include, by default all of them. Links to what is left
            out are then reported without failing the build.

    Raises:
        CourseError: a page is missing, or Jupyter Book reported a problem. The last good book is
            still there.
    """
    content = stage.content(root, scale=scale, edition=edition, only=only)
    fingerprint = _fingerprint(content, root)
    html = html_folder(root, edition)
    if _built_from(html) == fingerprint:
        return Book(html / "index.html", rebuilt=False)
    staged = root / "build" / "stage" / edition
    output = root / "build" / "book" / edition
    if any(name.startswith("static/") for name in synchronise(staged, content)):
        # Sphinx copies static files only when it writes a page: let it write all of them.
        shutil.rmtree(output / "_build" / "html", ignore_errors=True)
    built = _run(staged, output, strict=not only)
    atomic_write(built / _MARK, fingerprint)
    publish(built, html)
    return Book(html / "index.html", rebuilt=True)


def html_folder(root: Path, edition: Edition = "reader") -> Path:
    """Where an edition's finished HTML lies.

    >>> html_folder(Path("/course"), "instructor").as_posix()
    '/course/build/html-instructor'
    """
    return Path(root) / "build" / ("html" if edition == "reader" else f"html-{edition}")


def synchronise(folder: Path, content: Mapping[str, bytes]) -> list[str]:
    """Make `folder` hold exactly `content`; the names of what had to be written.

    A file that is right already is not touched, so that Sphinx does not read it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and path.relative_to(folder).as_posix() not in content:
            path.unlink()
    changed = [name for name, data in content.items() if _differs(folder / name, data)]
    for name in changed:
        atomic_write(folder / name, content[name])
    return changed


def publish(built: Path, html: Path) -> None:
    """Replace the folder `html` by a copy of `built`, never by a part of it."""
    new, old = html.with_name(f".{html.name}.new"), html.with_name(f".{html.name}.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(built, new)
    if html.exists():
        html.rename(old)
    new.rename(html)
    shutil.rmtree(old, ignore_errors=True)


def _differs(path: Path, data: bytes) -> bool:
    """Whether `path` does not hold `data`."""
    return not path.is_file() or path.read_bytes() != data


def _fingerprint(content: Mapping[str, bytes], root: Path) -> str:
    """A hash of everything that the HTML depends on: content, docstrings, the lock."""
    digest = hashlib.sha256(sys.version.encode())
    for name in sorted(content):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content[name]).digest())
    for path in [*sorted((root / "llm_course").rglob("*.py")), root / "constraints.txt"]:
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _built_from(html: Path) -> str:
    """The fingerprint that the book in `html` was built from, empty when there is none."""
    mark = html / _MARK
    return mark.read_text() if mark.is_file() else ""


def _run(staged: Path, output: Path, *, strict: bool) -> Path:
    """Run Jupyter Book on `staged`; every warning is shown, and is an error when `strict`."""
    output.mkdir(parents=True, exist_ok=True)
    log = output / "jupyter-book.log"
    command = [sys.executable, "-c", _JUPYTER_BOOK, "build", str(staged)]
    command += ["--path-output", str(output), "-n", "--keep-going", "-q"]
    command += ["-W"] if strict else []
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "MPLBACKEND": "agg"}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True)
    reported = _COLOUR.sub("", finished.stderr)
    atomic_write(log, _COLOUR.sub("", finished.stdout) + reported)
    problems = _PROBLEM.findall(reported)
    if problems or finished.returncode:
        print(reported, file=sys.stderr)
    if finished.returncode:
        # Sphinx remembers pages that it has read: without this, the next run would not warn again.
        shutil.rmtree(output / "_build", ignore_errors=True)
        raise CourseError(
            f"the book was not built: Jupyter Book reported {len(problems)} problems, shown above. "
            f"Fix: mend them; the whole log is {log}"
        )
    return output / "_build" / "html"
