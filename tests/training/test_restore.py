"""A state from either form of checkpoint, and what is refused before anything is changed."""

import copy

import pytest
import torch

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.checkpoint import MismatchedCheckpoint
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.restore import load_checkpoint
from llm_course.training.sharded_checkpoint import write_sharded
from llm_course.training.state import begin_training, state_tensors
from llm_course.training.strategy import SingleProcess

SIZES = {"vocab_size": 7, "context_length": 8, "d_model": 8, "n_layers": 2, "n_heads": 2}


def begun(fused, d_ff=12):
    settings = TrainingConfig(n_steps=4, learning_rate=0.02, fused=fused)
    return begin_training(Decoder(DecoderConfig(**SIZES, d_ff=d_ff)), settings), settings


def batches():
    generator = torch.Generator().manual_seed(0)
    return [
        tuple(torch.randint(7, (2, 6), generator=generator) for _ in range(2)) for _ in range(4)
    ]


def save(path, state):
    if path.suffix == ".sharded":
        tensors, values = state_tensors(state)
        write_sharded(path, tensors, {"state": values, "run": {"seed": 0}})
    else:
        SingleProcess().save(path, state, {"run": {"seed": 0}})


@pytest.mark.parametrize("suffix", [".sharded", ".safetensors"])
@pytest.mark.parametrize("fused", [True, False])
def test_a_run_goes_on_bit_by_bit(tmp_path, suffix, fused):
    path = tmp_path / f"step-00000002{suffix}"
    state, settings = begun(fused)

    def keep(state, record):
        if state.step == 2:
            save(path, state)

    history = train(state.model, batches(), settings, state=state, after_step=keep)
    again, _ = begun(fused)
    assert load_checkpoint(path, again, {"run": {"seed": 0}}) == {"run": {"seed": 0}}
    assert train(again.model, batches()[2:], settings, state=again) == history[2:]
    assert all(map(torch.equal, state.model.parameters(), again.model.parameters()))


@pytest.mark.parametrize("suffix", [".sharded", ".safetensors"])
def test_another_run_or_model_is_refused_by_name(tmp_path, suffix):
    path = tmp_path / f"step-00000000{suffix}"
    save(path, begun(True)[0])
    state, _ = begun(True, d_ff=10)
    before = copy.deepcopy(state.model.state_dict())
    with pytest.raises(MismatchedCheckpoint, match=r"run.seed: expected 1, got 0"):
        load_checkpoint(path, state, {"run": {"seed": 1}})
    with pytest.raises(MismatchedCheckpoint, match=r"feed_forward.*: expected \(8, 10\), got \(8"):
        load_checkpoint(path, state, {})
    assert all(torch.equal(weight, before[n]) for n, weight in state.model.state_dict().items())


def test_a_part_of_a_model_takes_its_part_alone(tmp_path):
    whole, _ = begun(True)
    with torch.no_grad():
        for weight in whole.model.parameters():
            weight.add_(1.0)
    part, _ = begun(True)
    del part.model.blocks[1]
    for suffix in (".sharded", ".safetensors"):
        path = tmp_path / f"step-00000000{suffix}"
        save(path, whole)
        with pytest.raises(MismatchedCheckpoint, match=r"blocks.1.*expected no such tensor"):
            load_checkpoint(path, part, {})
        load_checkpoint(path, part, {}, partial=True)
        found, expected = part.model.state_dict(), whole.model.state_dict()
        assert all(torch.equal(weight, expected[name]) for name, weight in found.items())
