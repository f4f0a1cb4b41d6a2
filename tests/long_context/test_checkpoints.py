"""Directories with ``linear``, ``dynamic`` and ``yarn`` go both ways with their logits."""

import json
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from llm_course.errors import CourseError
from llm_course.long_context.checkpoints import load_stretched, save_stretched, scaling_of
from llm_course.long_context.dynamic import DynamicNTK
from llm_course.long_context.rope_scaling import RopeScaling, stretched
from llm_course.long_context.yarn import YarnRange, yarn_magnitude
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions
from llm_course.model.decoder import Decoder
from llm_course.pretrained.huggingface import load_huggingface, save_huggingface

SIZES = {
    "vocab_size": 50, "hidden_size": 64, "intermediate_size": 40, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2,
}  # fmt: skip
TOKENS = torch.randint(0, 50, (2, 60), generator=torch.Generator().manual_seed(1))
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
ROPES: dict[str, dict[str, Any]] = {
    "linear": {"rope_type": "linear", "factor": 4.0},
    "yarn": YARN,
    "yarn, own range": YARN | {"beta_fast": 8.0, "beta_slow": 0.5, "truncate": False},
    "yarn, own magnitude": YARN | {"attention_factor": 1.5},
    "yarn, two mscales": YARN | {"mscale": 2.0, "mscale_all_dim": 0.5},
    "default": {"rope_type": "default"},
}


def shaken(model):
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return model.eval()


@pytest.mark.parametrize("name", ROPES)
@torch.no_grad()
def test_transformers_models_load_with_their_logits(tmp_path, name):
    longest = 64 if "yarn" in name else 16
    theirs = shaken(LlamaForCausalLM(LlamaConfig(
        **SIZES, max_position_embeddings=longest,
        rope_parameters={"rope_theta": 500.0, **ROPES[name]},
    )))  # fmt: skip
    theirs.save_pretrained(tmp_path)
    ours = load_stretched(tmp_path)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)
    assert ours.config.context_length == (16 if name == "default" else 64)


SCALINGS = {
    "linear": RopeScaling(kind="linear", factor=4.0, original=16),
    "dynamic": RopeScaling(kind="dynamic", factor=4.0, original=16),
    "yarn": RopeScaling(kind="yarn", factor=4.0, original=16),
    "yarn, own numbers": RopeScaling(
        kind="yarn", factor=4.0, original=16, turns=YarnRange(8.0, 0.5, False), magnitude=1.25
    ),
}


@pytest.mark.parametrize("name", SCALINGS)
@torch.no_grad()
def test_our_models_load_in_transformers_and_come_back(tmp_path, name):
    model = shaken(Decoder(DecoderConfig(
        vocab_size=50, context_length=16, d_model=64, n_layers=2, n_heads=4, d_ff=40,
        position_options=PositionOptions(rope_base=500.0),
    )))  # fmt: skip
    scaling = SCALINGS[name]
    ours = DynamicNTK(model, scaling) if name == "dynamic" else stretched(model, scaling)
    save_stretched(model if name == "dynamic" else ours, scaling, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)
    assert not torch.allclose(ours(TOKENS), model(TOKENS), atol=1e-3), "nothing was stretched"
    again = load_stretched(tmp_path)
    assert torch.equal(again(TOKENS), ours(TOKENS))
    assert again.config == ours.config
    settings = json.loads((tmp_path / "config.json").read_text())
    assert scaling_of(settings, "config.json") == scaling


def test_old_settings_are_read_as_well():
    old = {"max_position_embeddings": 16, "rope_theta": 500.0, "rope_scaling": None}
    assert scaling_of(old, "c") is None and scaling_of({}, "c") is None
    old["rope_scaling"] = {"type": "linear", "factor": 2}
    assert scaling_of(old, "c") == RopeScaling(kind="linear", factor=2.0, original=16)
    old["rope_scaling"] = {"type": "yarn", "original_max_position_embeddings": 4}
    assert scaling_of(old, "c") == RopeScaling(kind="yarn", factor=4.0, original=4)
    mscales = YARN | {"mscale": 2.0, "mscale_all_dim": 0.5}
    expected = yarn_magnitude(4.0, 2.0) / yarn_magnitude(4.0, 0.5)
    assert scaling_of({"rope_parameters": mscales}, "c").magnitude == expected


@pytest.mark.parametrize(
    ("rope", "message"),
    [
        ({"rope_type": "llama3", "factor": 8.0}, "rope_type: expected default, linear, dynamic"),
        ({"rope_type": "linear"}, "expected the setting factor, got none"),
        ({"rope_type": "linear", "factor": 0.5}, "factor: expected 1 or more"),
        ({"rope_type": "yarn", "factor": "x"}, "could not convert"),
    ],
)
def test_settings_that_cannot_be_read_are_named(rope, message):
    with pytest.raises(CourseError, match=message) as caught:
        scaling_of({"rope_parameters": rope}, "config.json")
    assert str(caught.value).startswith("config.json: ") and "Fix: " in str(caught.value)


def test_a_stretched_model_is_never_taken_for_a_plain_one(tmp_path, make_lively):
    config = DecoderConfig(
        vocab_size=9, context_length=16, d_model=16, n_layers=1, n_heads=2, d_ff=8
    )
    longer = stretched(make_lively(config), SCALINGS["linear"])
    with pytest.raises(CourseError, match="expected the parts of Llama"):
        save_huggingface(longer, tmp_path)
    with pytest.raises(CourseError, match="scaling: expected linear, dynamic, yarn, which"):
        save_stretched(longer, RopeScaling(kind="ntk", factor=2.0, original=16), tmp_path)
    save_stretched(longer, SCALINGS["linear"], tmp_path)
    with pytest.raises(CourseError, match="rope_type: expected 'default', got 'linear'"):
        load_huggingface(tmp_path)
