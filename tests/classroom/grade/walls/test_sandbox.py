"""The walls hold: what a process inside can see, reach and leave behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from llm_course.classroom.course import find_root
from llm_course.classroom.grade.walls import sandbox
from llm_course.classroom.grade.walls.sandbox import (
    Walls,
    command,
    find_bubblewrap,
    require_bubblewrap,
)
from llm_course.errors import CourseError

ROOT = find_root(Path(__file__).parent)
pytestmark = pytest.mark.needs("bubblewrap")


@pytest.fixture
def inside(tmp_path):
    """Run Python code within the walls; give what it printed."""
    package, runtime = tmp_path / "package", tmp_path / "runtime"
    package.mkdir()
    runtime.mkdir()
    (package / "marker.py").write_text("KNOWN = 7\n")

    def run(code):
        walls = Walls(package=package, runtime=runtime)
        full = command(walls, [sys.executable, "-c", code], {}, find_bubblewrap())
        ran = subprocess.run(full, capture_output=True, text=True, timeout=60)
        return (ran.stdout + ran.stderr).strip()

    return run


def test_the_package_is_seen_and_cannot_be_written(inside):
    assert inside("import marker; print(marker.KNOWN)") == "7"
    assert "Read-only file system" in inside("open('/course/x', 'w')")
    assert "Read-only file system" in inside(f"open({str(Path(sys.prefix) / 'x')!r}, 'w')")


@pytest.mark.parametrize(
    "path",
    ["solutions", "tests", ".git", "llm_course", "notebooks", "grading", "pyproject.toml"],
)
def test_nothing_of_the_repository_is_seen(inside, path):
    assert inside(f"import os; print(os.path.exists({str(ROOT / path)!r}))") == "False"


def test_neither_home_nor_neighbours_are_seen(inside):
    seen = inside("import os; print(sorted(os.listdir('/home')), os.listdir('/tmp'))")
    assert seen.startswith("['student']") and "pytest" not in seen.replace("pytest-of", "")
    count = inside("import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]))")
    assert int(count) <= 3
    assert inside("import os; print(os.getuid(), os.path.expanduser('~'))") == "1000 /home/student"


def test_the_environment_does_not_cross(inside, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "hidden-mark")
    assert "hidden-mark" not in inside("import os; print(dict(os.environ))")


def test_there_is_no_network(inside):
    code = (
        "import socket\n"
        "for address in (('127.0.0.1', 22), ('1.1.1.1', 53), ('::1', 80)):\n"
        "    try: socket.create_connection(address, 2); print('reached')\n"
        "    except OSError as error: print('no')\n"
    )
    assert inside(code).splitlines() == ["no"] * 3


def test_it_can_neither_become_more_nor_make_namespaces(inside):
    assert "Error" in inside("import os; os.setuid(0); print(os.getuid())")
    assert "Operation not permitted" in inside(
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)\n"
        "print(os.strerror(ctypes.get_errno()))"
    )


def test_its_folders_are_of_limited_size(inside):
    code = f"open('big', 'wb').write(b'0' * {sandbox.TEMPORARY_BYTES + 2**20})"
    assert "No space left on device" in inside(code)


def test_nothing_outlives_it(tmp_path):
    mark = "975.31"
    code = (
        "import subprocess\n"
        f"for _ in range(20): subprocess.Popen(['sleep', '{mark}'], start_new_session=True)\n"
        "print('ready', flush=True)"
    )
    walls = Walls(package=tmp_path, runtime=tmp_path)
    full = command(walls, [sys.executable, "-c", code], {}, find_bubblewrap())
    subprocess.run(full, check=True, capture_output=True, timeout=60)
    deadline = time.monotonic() + 10
    while sleeping(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sleeping(mark) == []


def test_it_ends_with_the_process_that_started_it(tmp_path):
    mark = "864.20"
    walls = Walls(package=tmp_path, runtime=tmp_path)
    full = command(walls, ["sleep", mark], {}, find_bubblewrap())
    code = (
        f"import subprocess, time; subprocess.Popen({full!r}); print(1, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    parent.stdout.readline()
    deadline = time.monotonic() + 20
    while not sleeping(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sleeping(mark), "the sandbox did not start"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    while sleeping(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sleeping(mark) == []


def sleeping(mark):
    """The processes that sleep for `mark` seconds, once they do: not the sandbox around them."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] == ["sleep", mark]:
            found.append(process.pid)
    return found


def test_without_bubblewrap_there_is_no_grading(monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(CourseError, match=r"needs bubblewrap.*Fix: make system-deps"):
        require_bubblewrap()


def test_a_bubblewrap_that_cannot_make_a_sandbox_is_an_error(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CourseError, match="No permissions to create new namespace"):
        require_bubblewrap()


def test_where_it_works_it_is_found():
    assert require_bubblewrap() == find_bubblewrap()
