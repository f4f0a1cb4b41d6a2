"""The folder of a build: what is done, what is left, and that it all belongs to one recipe.

``work/`` holds what a killed build goes on from: for each job its files, and its record, which is
written last. A job with a record is done; one without is done again and writes the same bytes.
``work/`` goes when the build ends, and ``report.json`` says that it did.
"""

import hashlib
import json
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import llm_course
from llm_course.errors import CourseError
from llm_course.files import atomic_write
from llm_course.recipes.data_build.recipe import Recipe

REPORT, IDENTITY = "report.json", "build.json"
# The identity of a folder that is being emptied.
REMOVED = {"fingerprint": "being removed"}
# The code on which the bytes of the result depend.
CODE = "data", "tokenizers", "recipes"


def fingerprint(recipe: Recipe) -> str:
    """What a result depends on: the recipe, the code and Python's version.

    >>> from llm_course.recipes.data_build.recipe import parse_recipe
    >>> table = {"name": "demo", "corpora": [{"name": "tiny_world"}]}
    >>> one, two = parse_recipe(table), parse_recipe(table | {"seed": 1})
    >>> fingerprint(one) == fingerprint(one) != fingerprint(two)
    True
    """
    content = hashlib.sha256(json.dumps(recipe.table, sort_keys=True).encode())
    content.update(platform.python_version().encode())
    package = Path(llm_course.__file__).parent
    for path in sorted(path for name in CODE for path in (package / name).rglob("*.py")):
        content.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


class Workspace:
    """The folder of a build.

    Args:
        out: where the result comes.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.work = out, out / "work"

    def begin(self, recipe: Recipe, force: bool = False) -> dict[str, Any] | None:
        """Make the folder ready; the report, if this very build has ended before.

        Args:
            recipe: what is built.
            force: remove what another recipe left there.

        Raises:
            CourseError: the folder holds something else.
        """
        identity = {"recipe": recipe.table, "fingerprint": fingerprint(recipe)}
        for path in self.out.glob(f".{IDENTITY}.*.tmp"):
            path.unlink(missing_ok=True)  # killed at its first write
        found = _read(self.out / IDENTITY)
        if found != identity:
            strange = [
                path.name for path in self.out.iterdir() if path.name not in (".lock", IDENTITY)
            ]
            if strange or found not in (None, REMOVED):
                if not (force and found):
                    raise CourseError(_refusal(self.out, found, [*strange, IDENTITY][0]))
                self._clear()
            atomic_write(self.out / IDENTITY, _dump(identity))
        for path in self.out.rglob(".*.tmp"):
            path.unlink(missing_ok=True)  # of writers that were killed
        report = _read(self.out / REPORT)
        if report is not None:
            shutil.rmtree(self.work, ignore_errors=True)
        return report

    def _clear(self) -> None:
        """Remove everything; killed on the way, the folder is still known as a build's."""
        atomic_write(self.out / IDENTITY, _dump(REMOVED))
        for path in self.out.iterdir():
            if path.name not in (".lock", IDENTITY):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def finish(self, report: Mapping[str, Any]) -> None:
        """Write the report, which ends the build, and remove what it went on from."""
        atomic_write(self.out / REPORT, _dump(report))
        shutil.rmtree(self.work, ignore_errors=True)

    def folder(self, step: str) -> Path:
        """Where the jobs of a step write."""
        return self.work / step

    def record(self, step: str, key: str) -> dict[str, Any] | None:
        """What a job that is done left behind; None if it is not done."""
        return _read(self.folder(step) / f"{key}.json")

    def needed(self, step: str, key: str) -> dict[str, Any]:
        """The record of a job on which another one builds.

        Raises:
            CourseError: it is not done, or its record is damaged.
        """
        found = self.record(step, key)
        if found is None:
            raise CourseError(
                f"{self.folder(step) / key}.json: expected a record, found none. "
                "Fix: llm-course data build --force"
            )
        return found

    def done(self, step: str, key: str, record: Mapping[str, Any]) -> None:
        """Leave the record of a job whose files are all written."""
        atomic_write(self.folder(step) / f"{key}.json", _dump(record))


def _refusal(out: Path, found: dict[str, Any] | None, strange: str) -> str:
    """Why a folder is not used."""
    if found is None:
        return f"{out}: expected an empty folder, found {strange}. Fix: name another with --out"
    return (
        f"{out}: expected a build of this recipe, found one of another recipe or an older version "
        "of the course. Fix: name another folder with --out, or replace it with --force"
    )


def _read(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None if there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise CourseError(f"{path}: expected a JSON object, got something else. Fix: delete it")
    return found


def _dump(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
