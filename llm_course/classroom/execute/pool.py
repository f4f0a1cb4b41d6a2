"""The workers of one run, seen from the process that the user started.

Each worker is a process of its own session, so that Ctrl-C reaches this process alone, which then
ends the others in order. A worker that dies costs the notebook it was running; another takes its
place.
"""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

COMMAND = (sys.executable, "-m", "llm_course.classroom.execute.worker")
PATIENCE = 10.0  # seconds that a worker has to end once its input is closed


@dataclass(frozen=True)
class Task:
    """One notebook to run.

    Attributes:
        key: its key, given back with every event.
        notebook: its text.
        parameters: the papermill parameters.
        folder: the kernel's working folder.
    """

    key: str
    notebook: str
    parameters: dict[str, Any]
    folder: Path

    def line(self) -> str:
        """The task as a worker reads it."""
        fields = {"notebook": self.notebook, "parameters": self.parameters}
        return json.dumps({**fields, "folder": str(self.folder)}) + "\n"


class Pool:
    """Worker processes, one for each environment; leaving the context ends them all."""

    def __init__(self, environments: Sequence[dict[str, str]], logs: Path) -> None:
        self._environments, self._logs = list(environments), logs
        self._events: queue.Queue[tuple[int, dict[str, Any] | None]] = queue.Queue()
        self._processes: dict[int, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Run every task; yield each event with its task's key.

        The last event of a task is ``done``. A worker that dies gives ``done`` with an error.
        """
        waiting, running = deque(tasks), {}
        for slot in range(min(len(self._environments), len(waiting))):
            running[slot] = waiting.popleft()
            self._give(slot, running[slot])
        while running:
            slot, event = self._events.get()
            task = running.get(slot)
            if task is None:
                continue
            if event is None:
                event = {
                    "event": "done",
                    "seconds": 0.0,
                    "error": self._last_words(slot),
                }
                self._processes.pop(slot).wait()
            if event["event"] == "done":
                del running[slot]
                if waiting:
                    running[slot] = waiting.popleft()
                    self._give(slot, running[slot])
            yield task.key, event

    def close(self) -> None:
        """End the workers; each kills its kernel when its input is closed."""
        for process in self._processes.values():
            with contextlib.suppress(OSError):  # it has died already
                process.stdin.close()
        for process in self._processes.values():
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _give(self, slot: int, task: Task) -> None:
        """Send a task to the worker of `slot`, started if need be."""
        if slot not in self._processes:
            self._start(slot)
        try:
            self._processes[slot].stdin.write(task.line())
            self._processes[slot].stdin.flush()
        except OSError:
            return  # it has died: its end of output, already on its way, reports the task

    def _start(self, slot: int) -> None:
        """Start a worker and the thread that passes its events on."""
        with self._log(slot).open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env=self._environments[slot],
                start_new_session=True,
            )
        self._processes[slot] = process
        threading.Thread(target=self._listen, args=(slot, process), daemon=True).start()

    def _listen(self, slot: int, process: subprocess.Popen[str]) -> None:
        """Queue every event of a worker, and None when it ends."""
        for line in process.stdout:
            self._events.put((slot, json.loads(line)))
        self._events.put((slot, None))

    def _log(self, slot: int) -> Path:
        """Where a worker's standard error goes."""
        return self._logs / f"worker-{slot}.log"

    def _last_words(self, slot: int) -> str:
        """Why a worker died, as far as it could tell."""
        status = self._processes[slot].wait()
        log = self._log(slot).read_text(encoding="utf-8", errors="replace")
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "")
        return f"WorkerDied: the process that ran the notebook ended with status {status}. {last}"
