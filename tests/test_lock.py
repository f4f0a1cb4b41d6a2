"""One writer at a time."""

import os
import signal
import subprocess
import sys

import pytest

from llm_course.errors import CourseError
from llm_course.lock import locked

HOLD = (
    "import sys, time; from pathlib import Path\n"
    "from llm_course.lock import locked\n"
    "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_grader_is_refused_and_told_who_is_at_work(holder, tmp_path):
    wanted = rf"process {holder.pid} .*Fix: .*--wait"
    with pytest.raises(CourseError, match=wanted), locked(tmp_path):
        pass


def test_waiting_lasts_until_the_holder_ends_however_it_ends(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    with locked(tmp_path, wait=True):
        assert holder.wait() == -9


def test_it_can_be_taken_again(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "deep" / "er"):
            pass


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    wanted = "Fix: name another one with --out"
    with pytest.raises(CourseError, match=wanted), locked(tmp_path / "file" / "grades"):
        pass
