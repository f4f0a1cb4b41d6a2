"""A student's kernel as the trusted side sees it: it runs cells, answers calls, and can be ended.

Whatever the kernel sends is read as data, within limits of time and size. When it does not answer
in time, uses too much memory or ends, it is gone (`KernelGone`), and with it all it started.
"""

import itertools
import queue
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from llm_course.classroom.grade.walls import provisioner
from llm_course.classroom.grade.walls.call_answer import AnswerFailed, value_of
from llm_course.classroom.grade.walls.sandbox import temporary
from llm_course.classroom.grade.walls.student_side import ANSWER
from llm_course.classroom.grade.walls.wire import dumps

START_SECONDS = 60.0
MOST_OUTPUT = 20_000  # characters kept of what a cell shows
LARGEST_MESSAGE = 96 * 2**20  # bytes; a larger one ends the connection
MOST_MEMORY = 4 * 2**30  # bytes resident in all of the sandbox's processes
_PREPARE = "from llm_course.classroom.grade.walls import student_side as __course__"


class KernelGone(BaseException):
    """The kernel was ended: `reason` is ``timeout``, ``memory`` or ``died``.

    No `Exception`: a test that expects one must not take this for it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class CellOutcome:
    """What a cell did: whether it ended well, its error, and what it showed as plain text."""

    ok: bool
    error: str = ""
    text: str = ""


class _Manager(KernelManager):
    """Jupyter's manager, with a specification of ours and sockets in a folder."""

    def __init__(self, spec: KernelSpec, **settings: Any) -> None:
        super().__init__(kernel_name="sandboxed", transport="ipc", **settings)
        self._spec = spec

    @property
    def kernel_spec(self) -> KernelSpec:
        """The specification that was given, whatever is installed."""
        return self._spec


class StudentKernel:
    """One running kernel; use it in a ``with`` block.

    Args:
        package: the view of the package.
        readable: more folders that the sandbox may read.
        withheld: names of libraries to replace.
        sandboxed: False only for one's own code on one's own machine (`validate`).
    """

    def __init__(
        self,
        package: Path,
        readable: Sequence[Path] = (),
        withheld: Sequence[str] = (),
        *,
        sandboxed: bool = True,
    ) -> None:
        self.runtime = Path(tempfile.mkdtemp(prefix="llmg-", dir=temporary()))
        spec = (
            provisioner.kernel_spec(package, self.runtime, readable, withheld)
            if sandboxed
            else provisioner.open_kernel_spec(package, withheld)
        )
        context = zmq.Context()
        context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        context.setsockopt(zmq.LINGER, 0)
        file = str(self.runtime / "kernel.json")
        self._manager = _Manager(spec, connection_file=file, context=context)
        self._context, self._numbers = context, itertools.count()
        nowhere = subprocess.DEVNULL
        self._manager.start_kernel(stdout=nowhere, stderr=nowhere)
        self._process = psutil.Process(self._manager.provisioner.pid)
        self._client = self._manager.client()
        self._client.start_channels(hb=False, stdin=False)

    def wait(self) -> None:
        """Wait until the kernel is ready to run cells."""
        deadline = time.monotonic() + START_SECONDS
        try:
            self._client.wait_for_ready(timeout=deadline - time.monotonic())
        except RuntimeError:
            self._gone("died")
        if not self.run(_PREPARE, START_SECONDS, silent=True).ok:
            self._gone("died")

    def run(self, source: str, seconds: float, *, silent: bool = False) -> CellOutcome:
        """Run a cell.

        Raises:
            KernelGone: it took too long, used too much memory, or ended the kernel.
        """
        shown, error = _Capped(), ""
        for kind, content in self._events(source, seconds, silent):
            if kind == "stream":
                shown.add(str(content.get("text", "")))
            elif kind in ("display_data", "execute_result"):
                shown.add(_plain(content) + "\n")
            elif kind == "error":
                error = f"{content.get('ename')}: {content.get('evalue')}"[:MOST_OUTPUT]
        return CellOutcome(not error, error, shown.text)

    def call(
        self, name: str, arguments: Sequence[Any], named: Mapping[str, Any], seconds: float
    ) -> Any:
        """Call a function of the student's with plain values, and give its plain result.

        Arguments that the function changed in place are changed here too.

        Raises:
            Exception: the built-in exception that the function raised.
            AnswerFailed: it gave nothing, or what is not plain data.
            KernelGone: as `run`.
            WireError: an argument cannot cross; the test is at fault.
        """
        number, text = next(self._numbers), dumps((name, tuple(arguments), dict(named)))
        answer = None
        code = f"__course__.call(globals(), {number}, {text!r})"
        for kind, content in self._events(code, seconds, silent=True):
            if kind == "display_data" and content.get("metadata") == {"call": number}:
                answer = content.get("data", {}).get(ANSWER)
        if not isinstance(answer, str):
            raise AnswerFailed(f"{name} gave no answer")
        return value_of(name, answer, {**dict(enumerate(arguments)), **named})

    def close(self) -> None:
        """End the kernel and everything it started, and remove its folder."""
        try:
            self._client.stop_channels()
            for process in [*self._process.children(recursive=True), self._process]:
                process.kill()
            self._manager.shutdown_kernel(now=True)
        except (psutil.NoSuchProcess, RuntimeError, OSError):
            pass
        finally:
            self._context.destroy(linger=0)
            shutil.rmtree(self.runtime, ignore_errors=True)

    def __enter__(self) -> "StudentKernel":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _events(
        self, source: str, seconds: float, silent: bool
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the kernel publishes about one request, until it is idle again."""
        asked = self._client.execute(source, silent=silent, store_history=not silent)
        deadline = time.monotonic() + seconds
        while True:
            message = self._next(deadline)
            header = message.get("parent_header") or {}
            if header.get("msg_id") != asked or not isinstance(message.get("content"), dict):
                continue
            kind, content = str(message.get("msg_type")), message["content"]
            if kind == "status" and content.get("execution_state") == "idle":
                return
            yield kind, content

    def _next(self, deadline: float) -> dict[str, Any]:
        """The next message, or the end of the kernel."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                return self._client.get_iopub_msg(timeout=min(left, 0.25))
            except queue.Empty:
                self._check()
            except Exception:
                self._gone("died")  # it speaks something else than Jupyter's protocol
        return self._gone("timeout")

    def _check(self) -> None:
        """End a kernel that has died or grown too large."""
        try:
            family = [self._process, *self._process.children(recursive=True)]
            resident = sum(process.memory_info().rss for process in family)
        except psutil.NoSuchProcess:
            resident = 0
        if not self._manager.is_alive():
            self._gone("died")
        if resident > MOST_MEMORY:
            self._gone("memory")

    def _gone(self, reason: str) -> Any:
        """End the kernel and say why."""
        self.close()
        raise KernelGone(reason)


class _Capped:
    """Text that stops growing."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, more: str) -> None:
        """Keep what fits."""
        room = MOST_OUTPUT - len(self.text)
        if room > 0:
            self.text += more if len(more) <= room else more[:room] + "\n… (cut)"


def _plain(content: dict[str, Any]) -> str:
    """The plain text of a display."""
    data = content.get("data")
    return str(data.get("text/plain", "")) if isinstance(data, dict) else ""
