"""Every engine against one process, to the same curve, model and samples; and from run to run."""

import json
import shutil

import pytest
import torch

from llm_course.errors import CourseError
from llm_course.pretrained.tensor_files import read_tensors
from llm_course.recipes.engines.engine import Engine
from llm_course.training.csv_log import read_csv_log
from tests.recipes.engines.padded import train_padded
from tests.recipes.engines.runs import refusal, train_as

ENGINES = ["ddp", "fsdp", "tensor", "pipeline"]


def check_same_run(found, expected, first=0):
    """The curve, the gradient's norms before clipping, the evaluations and the model."""
    logs = [read_csv_log(folder / "log.csv") for folder in (found, expected)]
    assert [row["step"] for row in logs[0]] == [row["step"] for row in logs[1]]
    for one, other in zip(*(log[first:] for log in logs), strict=True):
        for name in ("loss", "grad_norm", "learning_rate", "n_targets", "evaluation"):
            if other[name] is None:
                assert one[name] is None
            else:
                assert one[name] == pytest.approx(other[name], abs=1e-10, rel=0), (one, name)
    weights = [read_tensors(folder / "model.safetensors", "")[0] for folder in (found, expected)]
    assert weights[0].keys() == weights[1].keys()
    for name, weight in weights[1].items():
        torch.testing.assert_close(weights[0][name], weight, atol=1e-10, rtol=0)


@pytest.mark.parametrize("strategy", ENGINES)
def test_two_processes_train_as_one(runs, one_process, strategy):
    check_same_run(runs(strategy), one_process)
    norms = [row["grad_norm"] for row in read_csv_log(one_process / "log.csv")]
    assert min(norms) > 0.5, "no gradient is clipped: the norm of all parts is not tested"


@pytest.mark.parametrize("strategy", ENGINES)
def test_what_they_leave_is_what_one_process_leaves(runs, one_process, strategy):
    folder = runs(strategy)
    for name in ("config.json", "tokenizer.json"):
        assert (folder / name).read_bytes() == (one_process / name).read_bytes()
    for sample in (one_process / "samples").iterdir():
        assert (folder / "samples" / sample.name).read_text() == sample.read_text()
    results = [json.loads((path / "result.json").read_text()) for path in (folder, one_process)]
    assert results[0]["n_parameters"] == results[1]["n_parameters"]
    hidden = [path.name for path in (folder / "checkpoints").iterdir() if path.name[0] == "."]
    assert hidden == [], "no unfinished or half-deleted checkpoint"


@pytest.mark.parametrize("strategy", ENGINES)
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_narrow_products_and_a_loss_scale_go_with_every_engine(two_ranks, strategy, precision):
    settings = {"precision": precision}
    expected = train_padded("single", None, settings)
    results = two_ranks.run(train_padded, strategy, None, settings)
    for result in results:
        # Rounding falls elsewhere when rows or matrices are divided; 2^-8 is bf16's step.
        assert result["losses"] == pytest.approx(expected["losses"], rel=2**-8)
        assert result["norms"] == pytest.approx(expected["norms"], rel=2**-4)


def at_step_4(folder, copy):
    """A copy of a run that was ended after its checkpoint at step 4."""
    shutil.copytree(folder, copy)
    for path in (copy / "checkpoints").glob("step-00000006*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in ("model.safetensors", "result.json"):
        (copy / name).unlink()
    return copy


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("fsdp", "fsdp"),
        ("fsdp", "tensor"),
        ("tensor", "pipeline"),
        ("pipeline", "ddp"),
        ("single", "fsdp"),
        ("single", "pipeline"),
    ],
)
def test_a_run_goes_on_by_any_strategy(runs, one_process, two_ranks, tmp_path, before, after):
    folder = at_step_4(runs(before), tmp_path / "out")
    two_ranks.run(train_as, after, str(folder))
    check_same_run(folder, one_process)


@pytest.mark.parametrize("before", ["fsdp", "tensor"])
def test_one_process_goes_on_where_two_were(runs, one_process, tmp_path, before):
    folder = at_step_4(runs(before), tmp_path / "out")
    train_as("single", folder)
    check_same_run(folder, one_process)


def test_a_complete_run_only_says_so(runs, two_ranks, tmp_path):
    folder = shutil.copytree(runs("fsdp"), tmp_path / "out")
    before = (folder / "log.csv").read_bytes()
    [result, nothing] = two_ranks.run(train_as, "fsdp", str(folder))
    assert (folder / "log.csv").read_bytes() == before and nothing == {}
    log = read_csv_log(folder / "log.csv")
    assert result["held_out_loss"] == pytest.approx(log[-1]["evaluation"], abs=1e-12)


def test_a_damaged_part_is_refused_by_name_everywhere(runs, two_ranks, tmp_path):
    folder = at_step_4(runs("fsdp"), tmp_path / "out")
    part = folder / "checkpoints/step-00000004.sharded/shard-00002-model-00001-of-00001.safetensors"
    content = bytearray(part.read_bytes())
    content[-1] ^= 4
    part.write_bytes(content)
    for reason in two_ranks.run(refusal, train_as, "fsdp", str(folder)):
        assert reason.startswith("CorruptCheckpoint: ")
        assert "shard-00002-model-00001-of-00001.safetensors: expected content" in reason
        assert "Fix: delete this folder" in reason


def test_another_runs_checkpoint_is_refused_by_name_everywhere(runs, two_ranks, tmp_path):
    folder = at_step_4(runs("tensor"), tmp_path / "out")
    changes = {"training": {"learning_rate": 0.02}}
    for reason in two_ranks.run(refusal, train_as, "tensor", str(folder), changes):
        assert "step-00000004.sharded: run.training.learning_rate: expected 0.02" in reason


def test_rows_that_cannot_be_shared_are_refused():
    engine = object.__new__(Engine)
    engine.shares_rows, engine.world_size, engine.rank = True, 2, 1
    with pytest.raises(CourseError, match="batch_size: expected a multiple of 2 processes, got 3"):
        engine.part((torch.zeros(3, 2), torch.zeros(3, 2)))
    rows = torch.arange(4).reshape(4, 1)
    assert engine.part((rows, rows))[1].flatten().tolist() == [2, 3]
