"""Run every notebook at full scale on a CUDA device and record what it took.

``python -m llm_course.classroom.execute.gpu_report [--resume] [NOTEBOOK ...]`` writes
``build/gpu-report.json``. Committed as ``book/gpu-report.json`` it earns the GPU ticks of the
coverage page. ``--resume`` takes what an interrupted run has finished; naming notebooks runs a
part and keeps the rest of an earlier report from the same machine.
"""

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llm_course.classroom.course import find_root
from llm_course.classroom.execute.cache import source_hash
from llm_course.classroom.execute.kernel_setup import Parameters
from llm_course.classroom.execute.run import Result, execute
from llm_course.errors import CourseError
from llm_course.files import atomic_write

REPORT = "build/gpu-report.json"


def run(
    root: Path | str, only: Sequence[str] = (), jobs: int | None = None, resume: bool = False
) -> list[Result]:
    """Execute notebooks with ``SCALE=gpu``, ``DEVICE=cuda`` and write the report.

    Args:
        root: the repository.
        only: chapters, keys or names; all notebooks when empty.
        jobs: at most so many GPUs at once.
        resume: take a notebook's earlier run when nothing that it needs has changed.

    Raises:
        CourseError: there is no CUDA device, or a name is unknown.
    """
    root = Path(root).resolve()
    Parameters("gpu", "cuda")  # says at once that there is no device
    machine = describe_machine()
    results = execute(root, "gpu", "cuda", only=only, jobs=jobs, force=not resume)
    report = render(results, machine, _earlier(root / REPORT, machine) if only else {})
    atomic_write(root / REPORT, json.dumps(report, indent=1) + "\n")
    return results


def describe_machine() -> dict[str, Any]:
    """The device and the versions that the figures belong to."""
    import torch

    return {
        "device": torch.cuda.get_device_name(0),
        "n_devices": torch.cuda.device_count(),
        "versions": {
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "python": platform.python_version(),
        },
    }


def render(
    results: Sequence[Result], machine: dict[str, Any], earlier: dict[str, Any]
) -> dict[str, Any]:
    """The report: the machine, and for each notebook its source's hash, status and cost.

    Args:
        results: what ran now.
        machine: what it ran on.
        earlier: entries of notebooks that did not run now.
    """
    entries = {
        result.notebook.key: {
            "source": source_hash(result.notebook),
            "status": "failed" if result.failure else "executed",
            "seconds": result.seconds,
            "peak_bytes": result.peak_bytes,
            "device_peak_bytes": result.device_peak_bytes,
        }
        for result in results
    }
    return machine | {"scale": "gpu", "notebooks": dict(sorted((earlier | entries).items()))}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line.

    Returns:
        0 when every notebook ran, 1 when one failed, 2 when nothing could be run.
    """
    parser = argparse.ArgumentParser(prog="gpu_report", description=run.__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", metavar="NOTEBOOK", help="a chapter or a notebook")
    parser.add_argument("--resume", action="store_true", help="keep what is still good")
    parser.add_argument("--jobs", type=int, help="at most so many GPUs at once")
    given = parser.parse_args(arguments)
    try:
        results = run(find_root(), given.only, given.jobs, given.resume)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    for result in results:
        print(result.failure or f"{result.notebook.key}: {result.status}, {result.seconds:.0f} s")
    print(f"report: {REPORT}")
    return int(any(result.failure for result in results))


def _earlier(path: Path, machine: dict[str, Any]) -> dict[str, Any]:
    """The entries of an earlier report from the same machine, empty when there are none."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        same = all(report[name] == machine[name] for name in machine)
        return dict(report["notebooks"]) if same else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


if __name__ == "__main__":
    sys.exit(main())
