"""What is written after a step, and what the model leaves."""

import json

import pytest
import torch

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.pretrained_model import assemble
from llm_course.pretrained.tensor_files import read_tensors
from llm_course.recipes.train.corpus import open_corpus
from llm_course.recipes.train.outputs import COLUMNS, Outputs, sample_text, write_model
from llm_course.tokenizers.tokenizer_json import load
from llm_course.training.csv_log import read_csv_log
from llm_course.training.loop import StepRecord
from llm_course.training.state import begin_training
from llm_course.training.strategy import SingleProcess


@pytest.fixture
def parts(make, tmp_path):
    recipe = make(run={"tensorboard": True, "keep": 1})
    corpus = open_corpus(recipe, tmp_path / "data", 16)
    model = Decoder(recipe.decoder_config(len(corpus.tokenizer)))
    return recipe, corpus, model


class Second(SingleProcess):
    rank, world_size = 1, 2


def steps(recipe, corpus, model, out, strategy):
    outputs = Outputs(recipe, out, corpus, strategy, lambda step: {"seed": 3}, 0)
    state = begin_training(model, recipe.training)
    for step in range(24):
        state.step = step + 1
        record = StepRecord(step=step, loss=1.5, learning_rate=0.1, grad_norm=2.0, n_targets=64)
        outputs.after_step(state, record)


def test_what_is_due_is_written(parts, tmp_path):
    steps(*parts, tmp_path, SingleProcess())
    log = read_csv_log(tmp_path / "log.csv")
    assert [row["step"] for row in log] == list(range(24)) and list(log[0]) == COLUMNS
    assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == [
        "step-00000012.txt",
        "step-00000024.txt",
    ]
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-00000024.safetensors"]
    [events] = (tmp_path / "tensorboard").iterdir()
    content = events.read_bytes()
    assert content.count(b"grad_norm") == 24 and b"loss_scale" not in content


def test_only_the_first_process_writes_logs_and_samples(parts, tmp_path):
    steps(*parts, tmp_path, Second())
    names = {path.name for path in tmp_path.iterdir()} - {"data"}
    assert names == {"checkpoints"}, "checkpoints are written by all, each its part"


def test_samples_follow_from_the_seed_and_disturb_nothing(parts):
    _, corpus, model = parts
    model.train()
    before = torch.get_rng_state()
    one, other = sample_text(model, corpus, 5), sample_text(model, corpus, 5)
    assert one == other != sample_text(model, corpus, 6)
    assert torch.equal(torch.get_rng_state(), before) and model.training


def test_the_model_comes_back_from_its_files(parts, tmp_path):
    recipe, corpus, model = parts
    result = write_model(
        recipe, tmp_path, model.config, model.state_dict(), corpus, {"held_out_loss": 2.5}
    )
    assert json.loads((tmp_path / "result.json").read_text()) == json.loads(json.dumps(result))
    assert result["data_sha256"] == corpus.sha256 and result["held_out_loss"] == 2.5
    config = DecoderConfig.from_dict(json.loads((tmp_path / "config.json").read_text()))
    weights, _ = read_tensors(tmp_path / "model.safetensors", fix="train again")
    loaded = assemble(config, weights, "test")
    tokens = torch.tensor([[1, 2, 3]])
    torch.testing.assert_close(loaded(tokens), model(tokens), rtol=0, atol=1e-6)
    assert load(tmp_path / "tokenizer.json").encode("She ran.") == corpus.tokenizer.encode(
        "She ran."
    )
