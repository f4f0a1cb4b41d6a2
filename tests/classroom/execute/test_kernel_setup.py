import os
import subprocess
import sys
from pathlib import Path

import pytest

from llm_course.classroom.execute import kernel_setup
from llm_course.classroom.execute.kernel_setup import (
    Parameters,
    available_cores,
    kernel_environment,
    worker_environments,
)
from llm_course.errors import CourseError


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(kernel_setup, "cuda_devices", lambda: ["4", "7"])


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(kernel_setup, "cuda_devices", list)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": "tpu"}, "SCALE: expected cpu or gpu, got 'tpu'. Fix: SCALE=cpu"),
        ({"device": "mps"}, "DEVICE: expected cpu or cuda, got 'mps'. Fix: DEVICE=cpu"),
        ({"device": "cuda"}, "DEVICE: expected a CUDA device for 'cuda', got none"),
        ({"seed": -1}, "SEED: expected a whole number from 0, got -1"),
        ({"seed": "0"}, "SEED: expected a whole number from 0, got '0'"),
    ],
)
def test_wrong_parameters_are_told_on_one_line(no_gpu, arguments, message):
    with pytest.raises(CourseError) as caught:
        Parameters(**arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_full_scale_needs_no_gpu(no_gpu):
    assert Parameters("gpu", "cpu", 3).values == {"SCALE": "gpu", "DEVICE": "cpu", "SEED": 3}


def test_cuda_is_taken_where_there_is_a_device(two_gpus):
    assert Parameters("gpu", "cuda").values["DEVICE"] == "cuda"


@pytest.mark.parametrize(("jobs", "tasks", "workers"), [(1, 9, 1), (4, 9, 4), (4, 3, 3), (9, 1, 1)])
def test_workers_share_the_cores(monkeypatch, jobs, tasks, workers):
    for name in kernel_setup.THREAD_COUNTS:
        monkeypatch.delenv(name, raising=False)
    environments = worker_environments("cpu", jobs, tasks)
    assert len(environments) == workers
    threads = {int(environment["OMP_NUM_THREADS"]) for environment in environments}
    assert threads == {max(1, available_cores() // workers)}
    assert {environment["CUDA_VISIBLE_DEVICES"] for environment in environments} == {""}


def test_by_default_one_worker_for_each_core():
    assert len(worker_environments("cpu", None, 10_000)) == available_cores()


def test_a_thread_count_that_the_user_set_is_kept(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert worker_environments("cpu", 2, 2)[0]["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize(
    ("jobs", "tasks", "seen"),
    [(None, 5, ["4", "7"]), (1, 5, ["4"]), (8, 5, ["4", "7"]), (None, 1, ["4"])],
)
def test_each_gpu_has_one_worker(two_gpus, jobs, tasks, seen):
    environments = worker_environments("cuda", jobs, tasks)
    assert [environment["CUDA_VISIBLE_DEVICES"] for environment in environments] == seen


def test_no_job_at_all_is_refused():
    with pytest.raises(CourseError, match="jobs: expected 1 or more, got 0"):
        worker_environments("cpu", 0, 1)


class FakeCuda:
    """PyTorch's answers on a machine with three GPUs."""

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def device_count():
        return 3 if "CUDA_VISIBLE_DEVICES" not in os.environ else 2


@pytest.mark.parametrize(("visible", "expected"), [(None, ["0", "1", "2"]), ("5, 2", ["5", "2"])])
def test_devices_keep_the_names_that_the_user_gave(monkeypatch, visible, expected):
    import torch

    monkeypatch.setattr(torch, "cuda", FakeCuda)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert kernel_setup.cuda_devices() == expected


def test_kernels_see_nothing_of_the_home_folder_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    (tmp_path / "build" / "matplotlib").mkdir(parents=True)
    (tmp_path / "build" / "matplotlib" / "fontlist-v0.json").touch()
    with kernel_environment(tmp_path, seed=5) as environment:
        runtime = Path(environment["JUPYTER_RUNTIME_DIR"])
        assert runtime.is_dir()
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
            assert runtime in Path(environment[name]).parents
        assert environment["MPLBACKEND"] == kernel_setup.INLINE_BACKEND
        assert environment["PYTHONHASHSEED"] == "5"
        paths = environment["PYTHONPATH"].split(os.pathsep)
        assert paths[0] == str(tmp_path) and paths[-1] == "/elsewhere"
    assert not runtime.exists()


def test_the_package_is_found_from_anywhere(tmp_path):
    (tmp_path / "build" / "matplotlib").mkdir(parents=True)
    (tmp_path / "build" / "matplotlib" / "fontlist-v0.json").touch()
    with kernel_environment(tmp_path, seed=0) as environment:
        command = [sys.executable, "-S", "-c", "import llm_course.errors"]
        finished = subprocess.run(command, cwd=tmp_path, env=environment, check=False)
    assert finished.returncode == 0, "an environment that has the course not installed must do"


def test_sockets_have_short_paths_where_temporary_ones_are_long(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 80)
    long.mkdir()
    (tmp_path / "build" / "matplotlib").mkdir(parents=True)
    (tmp_path / "build" / "matplotlib" / "fontlist-v0.json").touch()
    monkeypatch.setattr(kernel_setup.tempfile, "gettempdir", lambda: str(long))
    with kernel_environment(tmp_path, seed=0) as environment:
        assert len(environment["JUPYTER_RUNTIME_DIR"]) < kernel_setup.LONGEST_TEMPORARY
