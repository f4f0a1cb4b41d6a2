"""What a run is given: its parameters, its workers and the environment of their kernels.

Notebooks must not depend on the machine's home folder, on another notebook's threads or on a
user's settings; the environment built here takes care of that.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import llm_course
from llm_course.errors import CourseError

SCALES = ("cpu", "gpu")
DEVICES = ("cpu", "cuda")

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"
THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LONGEST_TEMPORARY = 60  # a Unix socket's whole path may hold 104 characters (macOS), 108 (Linux)


@dataclass(frozen=True)
class Parameters:
    """The papermill parameters that every notebook takes.

    Raises:
        CourseError: a value is none of those known, or the machine has no CUDA device.

    >>> Parameters().values
    {'SCALE': 'cpu', 'DEVICE': 'cpu', 'SEED': 0}
    """

    scale: str = "cpu"
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("SCALE", self.scale, SCALES)
        _one_of("DEVICE", self.device, DEVICES)
        if not isinstance(self.seed, int) or self.seed < 0:
            raise CourseError(
                f"SEED: expected a whole number from 0, got {self.seed!r}. Fix: SEED=0"
            )
        if self.device == "cuda" and not cuda_devices():
            raise CourseError(
                "DEVICE: expected a CUDA device for 'cuda', got none that PyTorch can use. "
                "Fix: DEVICE=cpu, or install a CUDA build of PyTorch and its driver."
            )

    @property
    def values(self) -> dict[str, object]:
        """The parameters by the names that notebooks know."""
        return {name.upper(): value for name, value in asdict(self).items()}


def cuda_devices() -> list[str]:
    """The CUDA devices that PyTorch can use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    try:
        import torch
    except ImportError:
        return []
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = visible.split(",") if visible else [str(index) for index in range(count)]
    return [name.strip() for name in names[:count]]


def worker_environments(device: str, jobs: int | None, tasks: int) -> list[dict[str, str]]:
    """What sets each worker apart: its GPU, or its share of the cores.

    Args:
        device: ``cpu``, or ``cuda`` for one worker a GPU.
        jobs: at most so many workers; by default one for each core or GPU.
        tasks: how many notebooks there are to run.
    """
    if jobs is not None and jobs < 1:
        raise CourseError(f"jobs: expected 1 or more, got {jobs}. Fix: --jobs 1")
    cores = available_cores()
    devices = cuda_devices() if device == "cuda" else [""] * (jobs or cores)
    count = max(1, min(len(devices), jobs or len(devices), tasks))
    threads = str(max(1, cores // count))
    shared = {name: os.environ.get(name, threads) for name in THREAD_COUNTS}
    return [{**shared, "CUDA_VISIBLE_DEVICES": name} for name in devices[:count]]


def available_cores() -> int:
    """The cores that this process may use, not those that the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def kernel_environment(root: Path, seed: int) -> Iterator[dict[str, str]]:
    """The environment of every kernel, with a folder for its sockets that lives as long.

    The home folder's Jupyter and IPython settings are not read. Progress bars stay out of the
    page, and sets of strings come in the same order on each run.
    """
    short = None if len(tempfile.gettempdir()) <= LONGEST_TEMPORARY else "/tmp"
    runtime = Path(tempfile.mkdtemp(prefix="llmc-", dir=short))
    packages = [root, Path(llm_course.__file__).parents[1]]
    inherited = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*map(str, packages), *([inherited] if inherited else [])]),
        "PYTHONHASHSEED": str(seed % 2**32),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(runtime / "config"),
        "JUPYTER_DATA_DIR": str(runtime / "data"),
        "IPYTHONDIR": str(runtime / "ipython"),
        "MPLBACKEND": INLINE_BACKEND,
        "TQDM_DISABLE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    environment.setdefault("MPLCONFIGDIR", str(root / "build" / "matplotlib"))
    try:
        _find_fonts(environment)
        yield environment
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def _find_fonts(environment: dict[str, str]) -> None:
    """Let matplotlib list the fonts once; a kernel that did it would say so in the page."""
    folder = Path(environment["MPLCONFIGDIR"])
    if not any(folder.glob("fontlist-*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        quiet = {**environment, "MPLBACKEND": "Agg"}
        subprocess.run(command, env=quiet, capture_output=True, check=False)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Check a parameter against the values it may have."""
    if value not in known:
        raise CourseError(
            f"{name}: expected {' or '.join(known)}, got {value!r}. Fix: {name}={known[0]}"
        )
