"""A Jupyter kernel provisioner that starts kernels inside a sandbox.

Jupyter finds it by the entry point ``llm-course-sandbox``; a kernel specification chooses it and
says what its sandbox may see (`kernel_spec`). Everything else of a kernel's life is Jupyter's.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import LocalProvisioner
from traitlets import List as TraitList
from traitlets import Unicode

from llm_course.classroom.grade.walls import sandbox

NAME = "llm-course-sandbox"
SIDE = "llm_course.classroom.grade.walls.student_side"
UNLIMITED = "--unlimited"
# Seconds. A grader that is killed in the instant before the sandbox is tied to its life leaves one
# behind; this ends it.
LIFETIME = "900"


class SandboxProvisioner(LocalProvisioner):
    """Starts the kernel's command within the walls that its configuration describes."""

    package = Unicode(help="The folder that is seen as the course's package.", config=True)
    runtime = Unicode(help="The folder of the connection file and sockets.", config=True)
    readable = TraitList(Unicode(), help="More folders that may be read.", config=True)

    async def pre_launch(self, **settings: Any) -> dict[str, Any]:
        """Put the command that Jupyter prepared into the sandbox."""
        settings = await super().pre_launch(**settings)
        walls = sandbox.Walls(
            package=Path(self.package),
            runtime=Path(self.runtime),
            readable=tuple(map(Path, self.readable)),
        )
        settings["cmd"] = sandbox.command(walls, settings["cmd"], {}, sandbox.find_bubblewrap())
        return settings


def kernel_spec(
    package: Path, runtime: Path, readable: Sequence[Path], withheld: Sequence[str]
) -> KernelSpec:
    """The specification of a student's kernel.

    Args:
        package: the view of the package (`withheld_view`).
        runtime: the folder for this kernel's connection file and sockets, its own.
        readable: more folders to be seen.
        withheld: names of libraries that the kernel replaces.
    """
    config = {
        "package": str(package),
        "runtime": str(runtime),
        "readable": [str(path) for path in readable],
    }
    python = [sys.executable, "-m", SIDE]
    return KernelSpec(
        argv=["timeout", "-s", "KILL", LIFETIME, *python, "{connection_file}", *withheld],
        display_name="Sandboxed Python",
        language="python",
        metadata={"kernel_provisioner": {"provisioner_name": NAME, "config": config}},
    )


def open_kernel_spec(package: Path, withheld: Sequence[str]) -> KernelSpec:
    """The specification of a kernel without walls: for one's own code on one's own machine.

    Args:
        package: the view of the package.
        withheld: names of libraries that the kernel replaces.
    """
    quiet = {"PYTHONPATH": str(package), "MPLBACKEND": "agg", "TQDM_DISABLE": "1"}
    return KernelSpec(
        argv=[sys.executable, "-m", SIDE, "{connection_file}", UNLIMITED, *withheld],
        display_name="Python",
        language="python",
        env=quiet,
    )
