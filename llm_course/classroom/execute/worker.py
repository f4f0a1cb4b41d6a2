"""The process that runs notebooks: ``python -m llm_course.classroom.execute.worker``.

papermill takes two seconds to import, so a worker lives as long as the whole run. It reads tasks
from its standard input, one JSON object a line, and writes events to its standard output; what
anything else prints goes to standard error. When its input is closed, by the pool or because the
pool's process has died, it kills its kernel and ends.
"""

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn, TextIO

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from llm_course.classroom.execute.kernel import CourseEngine, Run
from llm_course.classroom.execute.normalise import normalise

ENGINE = "llm-course"
CELL_TIMEOUT = 1800  # seconds; a cell that takes half an hour is stuck

Report = Callable[[dict[str, Any]], None]


class Worker:
    """Runs one notebook at a time and reports on it.

    Args:
        report: takes each event: ``cell`` after a cell, ``done`` with the outcome.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._run: Run | None = None
        papermill_engines.register(ENGINE, CourseEngine)

    def execute(self, task: dict[str, Any]) -> None:
        """Run ``task["notebook"]`` and report ``done``, whatever happens.

        Args:
            task: ``notebook`` (its text), ``parameters`` and ``folder``, the kernel's.
        """
        parameters = task["parameters"]
        run = Run(parameters["DEVICE"], lambda: self._report({"event": "cell"}))
        self._run = run
        begun = time.perf_counter()
        try:
            executed = papermill.execute_notebook(
                nbformat.reads(task["notebook"], as_version=4),
                None,
                parameters=parameters,
                engine_name=ENGINE,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=task["folder"],
                run=run,
                execution_timeout=CELL_TIMEOUT,
            )
            outcome = {"text": normalise(executed, parameters)}
        except PapermillExecutionError as error:
            outcome = {
                "error": f"{error.ename}: {error.evalue}",
                "traceback": error.traceback,
            }
        except Exception as error:
            outcome = {"error": _told(error, run)}
        finally:
            run.kernel.kill()
        self._report(
            {
                "event": "done",
                "seconds": round(time.perf_counter() - begun, 3),
                "peak_bytes": run.peak_bytes,
                "device_peak_bytes": run.device_peak_bytes,
                "cell_id": run.cell_id,
                **outcome,
            }
        )

    def abandon(self) -> NoReturn:
        """Kill the kernel that is running, let no other start, and leave at once."""
        if self._run is not None:
            self._run.kernel.kill(for_good=True)
        os._exit(0)


def main() -> None:
    """Serve tasks until standard input is closed."""
    events = _claim_stdout()
    lock = threading.Lock()

    def report(event: dict[str, Any]) -> None:
        with lock:
            events.write(json.dumps(event) + "\n")
            events.flush()

    worker = Worker(report)
    tasks: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(tasks, worker), daemon=True).start()
    while True:
        worker.execute(json.loads(tasks.get()))


def _told(error: Exception, run: Run) -> str:
    """An error that is not a cell's own, on one line."""
    if isinstance(error, DeadKernelError):
        seen = f"{run.peak_bytes / 2**30:.1f} GiB" if run.peak_bytes else "an unknown amount"
        return f"DeadKernelError: the kernel died, as it does when memory is short (peak: {seen})"
    if isinstance(error, CellTimeoutError):
        return f"CellTimeoutError: the cell was still running after {CELL_TIMEOUT} seconds"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _listen(tasks: queue.Queue[str], worker: Worker) -> None:
    """Pass tasks on; at the end of input, kill the kernel and leave at once."""
    for line in sys.stdin:
        tasks.put(line)
    worker.abandon()


def _claim_stdout() -> TextIO:
    """Keep standard output for events, and send other people's prints to standard error."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events


if __name__ == "__main__":
    main()
