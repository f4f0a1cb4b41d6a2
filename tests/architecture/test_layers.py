"""The direction of imports, as `[tool.importlinter]` in pyproject.toml lists it."""

import subprocess
import sys
from pathlib import Path

import pytest

from llm_course.classroom.course import find_root

ROOT = find_root(Path(__file__).parent)
LINT = Path(sys.executable).with_name("lint-imports")


@pytest.mark.slow
def test_every_package_imports_only_from_below():
    told = subprocess.run([LINT, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    assert "0 broken" in told.stdout
