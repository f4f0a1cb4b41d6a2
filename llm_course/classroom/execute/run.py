"""Execute every notebook with papermill, in parallel, and only when something it needs has changed.

``build/executed/<scale>/<chapter>/<name>.ipynb`` is what the book and the checks read; the record
beside it (see `cache`) says what the run cost. A notebook that fails leaves the others alone.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nbformat import NotebookNode
from tqdm import tqdm

from llm_course.classroom.author import chapter_text
from llm_course.classroom.course import Notebook, notebooks
from llm_course.classroom.execute import cache
from llm_course.classroom.execute.failure import Failure, explain
from llm_course.classroom.execute.kernel_setup import (
    Parameters,
    kernel_environment,
    worker_environments,
)
from llm_course.classroom.execute.pool import Pool, Task

Status = Literal["executed", "cached", "failed"]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one notebook.

    Attributes:
        notebook: the chapter.
        status: ``executed``, ``cached`` (it was still good) or ``failed``.
        seconds: how long it ran; of a cached one, how long it had run.
        peak_bytes: peak resident memory of its kernel, None where the system does not tell.
        device_peak_bytes: peak memory allocated on the GPU, None on a CPU.
        path: the executed notebook.
        failure: why it failed, else None.
    """

    notebook: Notebook
    status: Status
    seconds: float
    peak_bytes: int | None
    device_peak_bytes: int | None
    path: Path
    failure: Failure | None = None


@dataclass(frozen=True)
class _Job:
    """One notebook on its way: as it was read, its cache key, its hash and where it goes."""

    notebook: Notebook
    authored: NotebookNode
    key: str
    source: str
    path: Path


def execute(
    root: Path | str,
    scale: str = "cpu",
    device: str = "cpu",
    seed: int = 0,
    only: Sequence[str] = (),
    jobs: int | None = None,
    force: bool = False,
) -> list[Result]:
    """Execute the course's notebooks; the results come in the order of their keys.

    Ctrl-C ends every kernel, leaves whole files only, and is raised again as `KeyboardInterrupt`.

    Args:
        root: the repository.
        scale: ``cpu`` or ``gpu``, how large the experiments are.
        device: ``cpu`` or ``cuda``; with ``cuda`` each GPU runs one notebook at a time.
        seed: the seed that notebooks start from.
        only: chapters, keys or names; all notebooks when empty.
        jobs: how many run at once; by default one for each core or GPU.
        force: execute also what is still good.

    Raises:
        CourseError: a parameter, a name or a chapter's text is wrong.
    """
    root = Path(root).resolve()
    parameters = Parameters(scale, device, seed)
    planned = [_job(root, notebook, parameters) for notebook in notebooks(root, only)]
    results = {} if force else _still_good(planned)
    todo = [job for job in planned if job.notebook.key not in results]
    if todo:
        environments = worker_environments(device, jobs, len(todo))
        results |= _run(root, todo, parameters, environments)
    return [results[job.notebook.key] for job in planned]


def executed_path(root: Path, scale: str, notebook: Notebook) -> Path:
    """Where the executed form of `notebook` lies.

    >>> executed_path(Path("."), "cpu", Notebook("07_a", "b", Path("b.md"))).as_posix()
    'build/executed/cpu/07_a/b.ipynb'
    """
    return root / "build" / "executed" / scale / notebook.chapter / f"{notebook.name}.ipynb"


def _job(root: Path, notebook: Notebook, parameters: Parameters) -> _Job:
    """Read a chapter and find its cache key."""
    authored = chapter_text.read(notebook)
    code = [cell.source for cell in authored.cells if cell.cell_type == "code"]
    key = cache.cache_key(notebook, code, root, parameters.values)
    path = executed_path(root, parameters.scale, notebook)
    return _Job(notebook, authored, key, cache.source_hash(notebook), path)


def _still_good(jobs: Sequence[_Job]) -> dict[str, Result]:
    """The notebooks that need not run again."""
    found = {}
    for job in jobs:
        record = cache.hit(job.path, job.key)
        if record is not None:
            found[job.notebook.key] = _result(job, "cached", vars(record))
    return found


def _run(
    root: Path,
    jobs: Sequence[_Job],
    parameters: Parameters,
    environments: list[dict[str, str]],
) -> dict[str, Result]:
    """Run the jobs in worker processes, the longest first, and store what succeeds."""
    by_key = {job.notebook.key: job for job in sorted(jobs, key=_earlier_seconds, reverse=True)}
    results: dict[str, Result] = {}
    work = root / "build" / "work"
    shared = kernel_environment(root, parameters.seed)
    cells = sum(_code_cells(job) for job in jobs)
    bar = tqdm(total=cells, unit="cell", desc="notebooks", disable=None, file=sys.stderr)
    try:
        with (
            bar,
            shared as base,
            Pool([base | e for e in environments], _runtime(base)) as pool,
        ):
            tasks = [_task(job, parameters, work) for job in by_key.values()]
            for key, event in pool.run(tasks):
                if event["event"] == "cell":
                    bar.update()
                else:
                    results[key] = _finished(root, by_key[key], event)
                    bar.set_postfix_str(f"{len(results)}/{len(jobs)} notebooks")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return results


def _task(job: _Job, parameters: Parameters, work: Path) -> Task:
    """The job as a worker takes it, in an empty folder of its own."""
    folder = work / job.notebook.chapter / job.notebook.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return Task(job.notebook.key, chapter_text.dumps(job.authored), parameters.values, folder)


def _finished(root: Path, job: _Job, event: dict[str, Any]) -> Result:
    """Store an executed notebook with its record, or say why there is none."""
    if "text" not in event:
        failure = explain(
            job.notebook,
            job.authored,
            root,
            cell_id=event.get("cell_id"),
            error=event["error"],
            traceback=event.get("traceback", ()),
        )
        return _result(job, "failed", event, failure)
    record = cache.Record(
        key=job.key,
        sha256=cache.text_hash(event["text"]),
        source=job.source,
        seconds=event["seconds"],
        peak_bytes=event["peak_bytes"],
        device_peak_bytes=event["device_peak_bytes"],
    )
    cache.store(job.path, event["text"], record)
    return _result(job, "executed", event)


def _result(
    job: _Job, status: Status, cost: dict[str, Any], failure: Failure | None = None
) -> Result:
    """The public result of a job."""
    return Result(
        notebook=job.notebook,
        status=status,
        seconds=cost["seconds"],
        peak_bytes=cost.get("peak_bytes"),
        device_peak_bytes=cost.get("device_peak_bytes"),
        path=job.path,
        failure=failure,
    )


def _runtime(environment: dict[str, str]) -> Path:
    """The run's folder for sockets and logs."""
    return Path(environment["JUPYTER_RUNTIME_DIR"])


def _earlier_seconds(job: _Job) -> float:
    """How long the notebook took the last time; an unknown one may be the longest."""
    record = cache.read_record(job.path)
    return record.seconds if record else float("inf")


def _code_cells(job: _Job) -> int:
    """How many cells the progress bar counts: those with code, and papermill's own."""
    return 1 + sum(cell.cell_type == "code" and bool(cell.source) for cell in job.authored.cells)
