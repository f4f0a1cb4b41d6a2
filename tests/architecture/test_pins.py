"""The lock can be installed by every Python that the course supports, its first patch included."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet

from llm_course.classroom.course import find_root

ROOT = find_root(Path(__file__).parent)
PIN = re.compile(r"^([\w.-]+)==(\S+)", flags=re.MULTILINE)
PINS = dict(PIN.findall((ROOT / "constraints.txt").read_text(encoding="utf-8")))
PYTHONS = ["3.11.0", "3.12.0", "3.13.0"]


def required_python(name):
    """The `Requires-Python` of an installed package, "" where it is not installed or says none."""
    try:
        return metadata(name).get("Requires-Python") or ""
    except PackageNotFoundError:
        return ""


def test_every_installed_pin_accepts_every_python():
    required = {name: required_python(name) for name in PINS}
    assert any(required.values()), "expected the lock's packages to be installed"
    refused = {
        (name, python): needs
        for name, needs in required.items()
        for python in PYTHONS
        if not SpecifierSet(needs).contains(python)
    }
    assert refused == {}, "pins that some supported Python cannot install"


def test_torch_is_pinned_exactly_and_without_a_local_build():
    assert re.fullmatch(r"\d+\.\d+\.\d+", PINS["torch"])
