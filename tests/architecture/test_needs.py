"""A test whose program is missing is named in the last lines, and is an error in CI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import pytest

@pytest.mark.needs("bubblewrap")
def test_sandbox(): pass

def test_plain(): pass
"""


@pytest.fixture
def run(tmp_path):
    """Run a little suite under the course's own conftest, with programs found or not."""
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs(program): x\n")

    def call(*, found, ci=""):
        (tmp_path / "bin").mkdir(exist_ok=True)
        if found:
            (tmp_path / "bin" / "bwrap").touch(mode=0o755)
        environment = {**os.environ, "PATH": str(tmp_path / "bin"), "CI": ci}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return call


def test_with_the_program_everything_runs(run):
    told = run(found=True)
    assert told.returncode == 0 and "2 passed" in told.stdout


def test_without_it_the_last_lines_name_what_was_not_run(run):
    told = run(found=False)
    assert told.returncode == 0 and "1 passed" in told.stdout
    assert "not run, because bubblewrap is missing" in told.stdout
    assert "test_suite.py::test_sandbox" in told.stdout


def test_in_continuous_integration_it_is_an_error(run):
    told = run(found=False, ci="true")
    assert told.returncode != 0
    assert "not installed: bubblewrap. Fix: make system-deps" in told.stdout + told.stderr
