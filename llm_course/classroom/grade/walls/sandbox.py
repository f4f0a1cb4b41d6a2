"""The walls around a student's code: a bubblewrap sandbox without network, home or neighbours.

Inside there is the system's and the environment's software, read-only; a home and a temporary
folder in memory; and one folder for the sockets of the kernel. Everything lives in namespaces of
its own, so that no process outlives the sandbox and none is seen from inside it. Resource limits
are set by the process itself before it reads any of the student's code (`student_side`).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import llm_course
from llm_course.errors import CourseError

HOME = "/home/student"
COURSE = "/course"  # where the sandbox sees the package, without what is withheld
TEMPORARY_BYTES = 256 * 2**20
LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime", "/etc/alternatives")


@dataclass(frozen=True, kw_only=True)
class Walls:
    """What one sandbox may see besides the system.

    Attributes:
        package: a folder that is seen at ``/course``.
        runtime: the kernel's connection file and sockets, at the same path; the one writable
            place that outlives the sandbox.
        readable: more folders to see at their own paths, such as the cache of converted models.
    """

    package: Path
    runtime: Path
    readable: tuple[Path, ...] = ()


def temporary() -> str:
    """Where the grader keeps what it needs for a moment; short, for sockets have short paths."""
    return os.environ.get("LLM_COURSE_TMP", "/tmp")


def require_bubblewrap() -> str:
    """The path of ``bwrap``, once it is known to work here.

    Raises:
        CourseError: it is missing, or this machine does not let it make namespaces.
    """
    program = find_bubblewrap()
    trial = [program, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    finished = subprocess.run(trial, capture_output=True, text=True)
    if finished.returncode:
        reason = (finished.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CourseError(
            f"grading needs bubblewrap, which cannot make a sandbox here ({reason}). "
            "Fix: allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1)"
        )
    return program


def find_bubblewrap() -> str:
    """The path of ``bwrap``.

    Raises:
        CourseError: there is none.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise CourseError(
            "grading needs bubblewrap, which keeps students' code away from everything else, and "
            "there is none. Fix: make system-deps (Debian: apt-get install bubblewrap)"
        )
    return program


def command(
    walls: Walls, inside: Sequence[str], environment: Mapping[str, str], program: str = "bwrap"
) -> list[str]:
    """The command that runs `inside` within `walls`, with nothing of the caller's environment.

    The sandbox ends with the process that started it, and all it holds ends with it.
    """
    arguments = [program, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    arguments += ["--uid", "1000", "--gid", "1000", "--hostname", "student", "--cap-drop", "ALL"]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for folder in ("/tmp", HOME):
        arguments += ["--size", str(TEMPORARY_BYTES), "--tmpfs", folder]
    arguments += _system()
    for path in sorted({*_software(), *map(str, walls.readable)}):
        arguments += ["--ro-bind-try", path, path]
    if (installed := Path(llm_course.__file__).parent).is_relative_to(sys.prefix):
        arguments += ["--tmpfs", str(installed)]  # a copy in the environment would show the answers
    arguments += ["--ro-bind", str(walls.package), COURSE]
    arguments += ["--bind", str(walls.runtime), str(walls.runtime), "--chdir", HOME]
    for name, value in {**_environment(), **environment}.items():
        arguments += ["--setenv", name, value]
    return [*arguments, *inside]


def _system() -> list[str]:
    """The binds and links that make up the system's software."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for link in LINKS:
        if Path(link).is_symlink():
            arguments += ["--symlink", str(Path(link).readlink()), link]
        else:
            arguments += ["--ro-bind-try", link, link]
    for path in SETTINGS:
        arguments += ["--ro-bind-try", path, path]
    return arguments


def _software() -> set[str]:
    """This Python and its environment, whatever folder they lie in."""
    roots = {sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix)}
    roots |= {str(Path(os.path.realpath(sys.executable)).parents[1])}
    return {root for root in roots if not (root == "/usr" or root.startswith("/usr/"))}


def _environment() -> dict[str, str]:
    """What every process inside is told."""
    return {
        "HOME": HOME,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": COURSE,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "IPYTHONDIR": f"{HOME}/.ipython",
        "MPLCONFIGDIR": f"{HOME}/.matplotlib",
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
    }
