"""A run from its recipe, interrupted at any step, to the bit-identical end."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from llm_course.classroom.course import find_root
from llm_course.errors import CourseError
from llm_course.pretrained.tensor_files import read_tensors
from llm_course.recipes.train import run as run_module
from llm_course.recipes.train.outputs import Outputs
from llm_course.recipes.train.run import run
from llm_course.training.checkpoint import CorruptCheckpoint, MismatchedCheckpoint, find_checkpoints
from llm_course.training.csv_log import read_csv_log
from llm_course.training.strategy import SingleProcess

SAME = ("log.csv", "model.safetensors", "config.json", "tokenizer.json")


def contents(folder: Path) -> dict[str, bytes]:
    """What must be the same however often a run was interrupted."""
    found = {name: (folder / name).read_bytes() for name in SAME}
    return found | {path.name: path.read_bytes() for path in (folder / "samples").iterdir()}


class Killed(BaseException):
    """Ends a run in the middle, as no error does."""


@contextlib.contextmanager
def killed_after(monkeypatch, step: int):
    """Within it a run dies after a step, when its line is logged and no checkpoint is written."""
    whole = Outputs.after_step

    def after_step(self, state, record):
        if state.step == step:
            self.log.write({name: getattr(record, name) for name in self.log.columns})
            raise Killed
        whole(self, state, record)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Outputs, "after_step", after_step)
        yield


@pytest.fixture(scope="module")
def reference(make, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    return folder, run(make(), folder)


def test_a_run_learns_and_says_what_it_was(reference, recipe):
    folder, result = reference
    log = read_csv_log(folder / "log.csv")
    assert [row["step"] for row in log] == list(range(24))
    assert [row["step"] for row in log if row["evaluation"] is not None] == [7, 15, 23]
    assert log[-1]["loss"] < log[0]["loss"] - 0.3
    assert log[-1]["evaluation"] == result["held_out_loss"]
    assert result["tokens"] == 24 * 4 * 16 and result["n_parameters"] > 0
    assert len(find_checkpoints(folder / "checkpoints")) == recipe.run.keep


@pytest.mark.parametrize("steps", [[3], [5], [6, 14], [23], [1, 2, 24]])
def test_a_run_that_dies_anywhere_ends_the_same(reference, recipe, tmp_path, monkeypatch, steps):
    for step in steps:
        torch.manual_seed(step)  # another process has other random numbers
        with killed_after(monkeypatch, step):
            run(recipe, tmp_path)
    run(recipe, tmp_path)
    assert contents(tmp_path) == contents(reference[0])


def test_a_run_that_is_complete_only_says_so(reference, recipe, tmp_path):
    first = run(recipe, tmp_path)
    before, told = contents(tmp_path), []
    again = run(recipe, tmp_path, tell=told.append)
    assert told[0] == "on from step-00000024.safetensors"
    assert again["held_out_loss"] == first["held_out_loss"] and contents(tmp_path) == before


def test_recomputed_blocks_change_no_figure(reference, make, tmp_path):
    run(make(run={"recompute": True}), tmp_path / "a")
    weights = [
        read_tensors(folder / "model.safetensors", "")[0]
        for folder in (reference[0], tmp_path / "a")
    ]
    assert all(torch.equal(weight, weights[1][name]) for name, weight in weights[0].items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"learning_rate": 0.02}}, r"run.training.learning_rate: expected 0.02, got"),
        ({"model": {"d_ff": 20}}, r"run.model.d_ff: expected 20, got 24"),
        ({"run": {"batch_size": 5}}, r"run.data.batch_size: expected 5, got 4"),
    ],
)
def test_another_runs_checkpoint_is_refused(make, tmp_path, monkeypatch, changes, message):
    with killed_after(monkeypatch, 7):
        run(make(), tmp_path)
    with pytest.raises(MismatchedCheckpoint, match=r"step-00000005.safetensors: " + message):
        run(make(**changes), tmp_path)
    run(make(**changes), tmp_path, force=True)


def test_a_plateau_can_be_ended_earlier_and_a_fall_cannot_be_prolonged(make, tmp_path, monkeypatch):
    def wsd(n_steps):
        return make(training={"schedule": "wsd", "n_steps": n_steps, "decay_steps": 8})

    run(wsd(18), tmp_path / "straight")
    with killed_after(monkeypatch, 12):
        run(wsd(40), tmp_path / "out")
    run(wsd(18), tmp_path / "out")  # the fall begins at 10, where the last checkpoint is
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")
    with pytest.raises(
        MismatchedCheckpoint, match=r"step-00000018.*decay_steps: expected 'nothing', got 8"
    ):
        run(wsd(40), tmp_path / "out")


def test_data_that_were_changed_are_refused(recipe, tmp_path, monkeypatch):
    with killed_after(monkeypatch, 7):
        run(recipe, tmp_path)
    path = tmp_path / "data" / "train" / "shard-00000.tokens"
    content = bytearray(path.read_bytes())
    content[200:202], content[202:204] = content[202:204], content[200:202]
    assert bytes(content) != path.read_bytes()
    path.write_bytes(bytes(content))
    with pytest.raises(MismatchedCheckpoint, match=r"step-00000005.*: run.data.sha256: expected"):
        run(recipe, tmp_path)


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_checkpoint_is_refused_by_name(reference, recipe, tmp_path, monkeypatch, damage):
    with killed_after(monkeypatch, 12):
        run(recipe, tmp_path)
    older, latest = find_checkpoints(tmp_path / "checkpoints")
    content = bytearray(latest.read_bytes())
    content[-1] ^= 4
    latest.write_bytes(bytes(content) if damage == "flip" else bytes(content[:-100]))
    with pytest.raises(CorruptCheckpoint, match=r"step-00000010.safetensors: expected .*delete it"):
        run(recipe, tmp_path)
    latest.unlink()  # as the message says
    run(recipe, tmp_path)
    assert contents(tmp_path) == contents(reference[0])


def test_two_runs_in_one_folder_are_refused(recipe, tmp_path, monkeypatch):
    def second(*_):
        run(recipe, tmp_path)

    monkeypatch.setattr(run_module, "_run", second)
    with pytest.raises(CourseError, match="another training run is at work there"):
        run(recipe, tmp_path)


def test_a_plan_is_not_run(make, tmp_path):
    with pytest.raises(CourseError, match="micro: expected a recipe to run, got a plan"):
        run(make(run={"plan_only": True}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_strategy_is_asked_for_everything_that_is_shared(recipe, tmp_path):
    class Watched(SingleProcess):
        asked: list[str] = []  # noqa: RUF012

        def __getattribute__(self, name):
            if not name.startswith("_") and name != "asked":
                type(self).asked.append(name)
            return super().__getattribute__(name)

    run(recipe, tmp_path, strategy=Watched())
    once = ["rank", "wait", "prepare", "gather", "save"]
    each_step = ["part", "total", "clip", "gradient_factor"]
    assert {*once, *each_step} <= set(Watched.asked)
    assert {Watched.asked.count(name) for name in ("wait", "prepare", "gather")} == {1}
    assert Watched.asked.count("part") == Watched.asked.count("clip") == 24


def test_other_processes_leave_the_folder_to_the_first(reference, recipe, tmp_path):
    class Second(SingleProcess):
        rank, world_size = 1, 2

        def wait(self):  # the first one has made the data
            shutil.copytree(reference[0] / "data", tmp_path / "data")

        def save(self, path, state, facts):
            saved.append(state.step)

    saved: list[int] = []
    assert run(recipe, tmp_path, strategy=Second()) == {}
    assert saved == [5, 10, 15, 20, 24]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def start(config: Path, out: Path) -> subprocess.Popen:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "llm_course.recipes.train", "--config", config, "--out", out]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(find_root())}
    return subprocess.Popen(
        [*map(str, command)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def wait_for_lines(log: Path, n: int, process: subprocess.Popen) -> None:
    """Until the log has so many lines."""
    deadline = time.monotonic() + 120
    while not (log.exists() and log.read_bytes().count(b"\n") > n):
        assert process.poll() is None, process.stdout.read().decode()
        assert time.monotonic() < deadline, "expected the run to go on"
        time.sleep(0.002)


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
n_steps = 200
learning_rate = 0.01
evaluate_every = 20
[run]
batch_size = 4
checkpoint_every = 7
sample_every = 50
"""


@pytest.mark.slow
def test_a_process_that_is_killed_at_random_ends_bit_by_bit_the_same(tmp_path):
    config = tmp_path / "killed.toml"
    config.write_text(RECIPE)
    straight = start(config, tmp_path / "straight")
    assert straight.wait(timeout=300) == 0, straight.stdout.read().decode()
    rng, n_killed = random.Random(0), 0
    out = tmp_path / "out"
    for line in sorted(rng.sample(range(1, 190), 2)):
        process = start(config, out)
        try:
            wait_for_lines(out / "log.csv", line, process)
            time.sleep(rng.random() * 0.03)  # anywhere in a step, a checkpoint or a sample
        finally:
            process.send_signal(signal.SIGKILL)
            n_killed += process.wait() == -signal.SIGKILL
    assert n_killed == 2, "a run that ended by itself proves nothing"
    last = start(config, out)
    assert last.wait(timeout=300) == 0, last.stdout.read().decode()
    assert contents(out) == contents(tmp_path / "straight")
