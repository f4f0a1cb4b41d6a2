"""A small, complete course that every test of the classroom may copy and break."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent / "sample_course"


@pytest.fixture
def sample_course(tmp_path: Path) -> Path:
    """The root of a fresh copy: one notebook, ``07_sample/counting``, that keeps every rule."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "course"))


@pytest.fixture
def edit_chapter(sample_course: Path) -> Callable[[str, str], Path]:
    """Replace the first `old` by `new` in the copied chapter; give its path."""
    path = sample_course / "solutions" / "07_sample" / "counting.md"

    def edit(old: str, new: str) -> Path:
        text = path.read_text(encoding="utf-8")
        assert old in text, f"the sample chapter does not hold {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return edit
