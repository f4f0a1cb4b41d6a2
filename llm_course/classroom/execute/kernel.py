"""The kernel that runs one notebook, and what is asked of it while it runs.

It is always the Python of this environment: a kernel specification in a home folder may name
another. It talks over Unix sockets, so that no port is opened and none can collide.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager

PLAIN = ["--InteractiveShell.xmode=Plain", "--InteractiveShell.colors=nocolor"]

# Asked without touching CUDA: a notebook that never used it must not start to.
CUDA_PEAK = (
    "(lambda t: t.cuda.max_memory_allocated() if t and t.cuda.is_initialized() else 0)"
    "(__import__('sys').modules.get('torch'))"
)


class CourseKernel(AsyncKernelManager):
    """A kernel that runs `sys.executable`, and that can be killed from another thread."""

    def __init__(self, **settings: Any) -> None:
        runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
        runtime.mkdir(parents=True, exist_ok=True)
        settings |= {
            "transport": "ipc",
            "connection_file": str(runtime / f"{os.getpid()}.json"),
        }
        super().__init__(kernel_name="python3", **settings)
        self.launching = threading.Lock()
        self.pid: int | None = None

    @property
    def kernel_spec(self) -> KernelSpec:
        """This environment's Python, whatever the home folder says."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        """Start the process; `launching` is held so that `kill` cannot miss it."""
        with self.launching:
            await super()._async_launch_kernel(kernel_cmd, **kw)
            self.pid = self.provisioner.pid

    def kill(self, for_good: bool = False) -> None:
        """End the kernel and the processes it started, now.

        Args:
            for_good: whether to keep the lock, so that no process can be started after this.
        """
        self.launching.acquire()
        if self.pid is not None:
            kill_group(self.pid)
        if not for_good:
            self.launching.release()


class Run:
    """One run of a notebook: where it is, and what it has used so far.

    Attributes:
        kernel: its kernel.
        cell_id: the cell that is being run.
        peak_bytes: peak resident memory of the kernel's process after the last finished cell.
        device_peak_bytes: the largest CUDA peak seen after a cell. A cell that resets PyTorch's
            peak statistics in its middle hides what it used before.
    """

    def __init__(self, device: str, progress: Callable[[], None]) -> None:
        self.kernel = CourseKernel()
        self.cell_id: str | None = None
        self.peak_bytes: int | None = None
        self.device_peak_bytes: int | None = None
        self._device, self._progress = device, progress

    def begin(self, cell: NotebookNode) -> None:
        """Remember which cell is running."""
        self.cell_id = cell.get("id")

    async def finish(self, client: "CourseClient") -> None:
        """Measure and tell after each cell."""
        self.peak_bytes = resident_peak(self.kernel.pid) or self.peak_bytes
        if self._device == "cuda":
            self.device_peak_bytes = max(self.device_peak_bytes or 0, await client.cuda_peak())
        self._progress()


class CourseClient(PapermillNotebookClient):
    """papermill's client, which tells a `Run` about every cell."""

    def __init__(self, nb_man: NotebookExecutionManager, run: Run, **settings: Any) -> None:
        super().__init__(nb_man, km=run.kernel, extra_arguments=PLAIN, **settings)
        self.on_cell_execute = lambda cell, **_: run.begin(cell)
        self.on_cell_executed = self._executed
        self._run = run

    async def _executed(self, **_: Any) -> None:
        await self._run.finish(self)

    async def cuda_peak(self) -> int:
        """The kernel's own figure for the most CUDA memory that PyTorch had allocated."""
        message = self.kc.execute(
            "", silent=True, store_history=False, user_expressions={"peak": CUDA_PEAK}
        )
        reply = await self.async_wait_for_reply(message)
        answer = ((reply or {}).get("content", {}).get("user_expressions") or {}).get("peak", {})
        return int(answer.get("data", {}).get("text/plain", 0))


class CourseEngine(NBClientEngine):
    """papermill's engine with our kernel."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        run: Run,
        start_timeout: int = 120,
        execution_timeout: int | None = None,
        **_: Any,
    ) -> None:
        """Run the cells; `Run` knows afterwards what they used."""
        settings = {"timeout": execution_timeout, "startup_timeout": start_timeout}
        client = CourseClient(
            nb_man, run, kernel_name=kernel_name, coalesce_streams=True, **settings
        )
        client.execute(cleanup_kc=True)


def resident_peak(pid: int | None) -> int | None:
    """Peak resident memory of a process in bytes, None where ``/proc`` does not tell.

    ``ru_maxrss`` is no substitute: a child begins with its parent's peak.

    >>> (resident_peak(os.getpid()) or 2**30) > 2**20, resident_peak(None)
    (True, None)
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def kill_group(pid: int) -> None:
    """Kill a process that leads its group, and every process of the group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
