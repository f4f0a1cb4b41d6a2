"""How processes find each other, and what is said of one that is lost."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch.distributed as dist
from torch.distributed.checkpoint import CheckpointException

from llm_course.classroom.course import find_root
from llm_course.errors import CourseError
from llm_course.parallel.launcher import RankPool, RanksFailed
from llm_course.recipes.engines.processes import ProcessLost, join, others_answer
from llm_course.recipes.train.outputs import Outputs
from llm_course.training.csv_log import read_csv_log
from tests.recipes.engines.runs import train_as


def test_without_torchrun_it_says_how_to_start(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CourseError, match="Fix: torchrun --nproc_per_node=2 -m llm_course.recipes"):
        join("cpu", 5)


def test_there_is_a_gpu_for_each_process_or_a_refusal(monkeypatch):
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(CourseError, match="--nproc_per_node: expected at most 2 processes.* got 3"):
        join("cuda", 5)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[../gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]"),
        dist.DistBackendError("a collective was aborted"),
        CheckpointException("load", {1: (RuntimeError("gloo: Timed out"), None)}),
    ],
)
def test_a_backends_error_names_who_waited(error):
    waited = pytest.raises(ProcessLost, match="process 1 of 4: expected an answer")
    with waited as lost, others_answer(1, 4):
        raise error
    assert "\n" not in str(lost.value) and "pair.cc" not in str(lost.value)


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shapes") as raised, others_answer(0, 2):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    assert not isinstance(raised.value, CourseError)


def train_slowly(folder):
    """A run in which the second process is late at a step."""
    whole = Outputs.after_step

    def after_step(self, state, record):
        if dist.get_rank() == 1 and state.step == 2:
            time.sleep(12)
        whole(self, state, record)

    Outputs.after_step = after_step
    train_as("ddp", folder)


def test_a_slow_process_is_an_error_in_time(tmp_path):
    with RankPool(2, timeout=4.0) as pool, pytest.raises(RanksFailed) as failed:
        pool.run(train_slowly, str(tmp_path))
    assert (
        "process 0 of 2: expected an answer of the other processes, got: "
        in (failed.value.errors[0])
    )
    assert "raise timeout in the recipe's [parallel]" in failed.value.errors[0]


def test_a_process_ends_with_its_launcher(tmp_path):
    """The launcher is killed; its child, who watches it, is gone soon after."""
    child = (
        "import os, time; from llm_course.recipes.engines.processes import end_with_launcher; "
        "end_with_launcher(); print(os.getpid(), flush=True); time.sleep(300)"
    )
    launcher = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    started = subprocess.Popen(
        [sys.executable, "-c", launcher],
        env={**os.environ, "PYTHONPATH": str(find_root())},
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = int(started.stdout.readline())
    started.kill()
    started.wait()
    assert wait_until(lambda: not alive(pid), 60), "an orphan was left"


def running():
    """The processes of this machine that have not ended, with what started each."""
    told = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in told.stdout.splitlines()]
    return {int(pid): int(parent) for pid, parent, state, *_ in rows if state[0] != "Z"}


def alive(pid):
    return pid in running()


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


RECIPE = """
name = "killed"
[model]
context_length = 16
d_model = 16
n_layers = 2
n_heads = 2
d_ff = 24
[data]
n_bytes = 12_000
held_out_bytes = 1500
tokenizer_bytes = 6000
vocab_size = 320
[training]
n_steps = {n_steps}
learning_rate = 0.01
schedule = "wsd"
decay_steps = 5
[run]
batch_size = 4
checkpoint_every = 5
[parallel]
strategy = "fsdp"
timeout = 60
"""


def torchrun(folder):
    """The command of the documentation, its output in one stream."""
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
         "-m", "llm_course.recipes.train", "--config", str(folder / "a.toml"),
         "--out", str(folder / "out")],
        env={**os.environ, "PYTHONPATH": str(find_root()), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def children(pid):
    """What a process has started, in that order."""
    return sorted(child for child, parent in running().items() if parent == pid)


@pytest.mark.slow
def test_a_killed_process_ends_all_and_the_run_goes_on(tmp_path):
    (tmp_path / "a.toml").write_text(RECIPE.format(n_steps=100_000))
    log = tmp_path / "out" / "log.csv"
    started = torchrun(tmp_path)
    try:
        assert wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") > 8, 200)
        workers = children(started.pid)
        assert len(workers) == 2
        os.kill(workers[1], signal.SIGKILL)
        told, _ = started.communicate(timeout=200)
    finally:
        started.kill()
    assert started.returncode != 0
    assert "process 0 of 2: expected an answer" in told or "Signal 9 (SIGKILL)" in told
    assert not any(alive(pid) for pid in workers), "an orphan was left"
    [*_, last] = sorted((tmp_path / "out" / "checkpoints").glob("step-*.sharded"))
    n_steps = int(last.stem.removeprefix("step-")) + 5  # the plateau may be ended there
    (tmp_path / "a.toml").write_text(RECIPE.format(n_steps=n_steps))
    again = torchrun(tmp_path)
    told, _ = again.communicate(timeout=200)
    assert again.returncode == 0, told
    assert told.count(f"on from {last.name}") == 1 and told.count("held-out loss") == 1
    assert [row["step"] for row in read_csv_log(log)] == list(range(n_steps))
    assert (tmp_path / "out" / "model.safetensors").is_file()
