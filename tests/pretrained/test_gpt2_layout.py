"""GPT-2's transposed and fused matrices: random-weight models both ways, and its old files."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.gpt2_layout import GPT2
from llm_course.pretrained.huggingface import load_huggingface, save_huggingface

SIZES = {
    "vocab_size": 50,
    "n_positions": 32,
    "n_embd": 24,
    "n_layer": 2,
    "n_head": 4,
    "bos_token_id": None,
    "eos_token_id": None,
}
TOKENS = torch.randint(0, 50, (2, 17), generator=torch.Generator().manual_seed(1))


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Random weights of size 0.1 everywhere, biases and norms included, so that each counts."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


VARIANTS: dict[str, dict[str, Any]] = {
    "published": {},
    "untied": {"tie_word_embeddings": False},
    "exact gelu": {"activation_function": "gelu"},
    "the other name": {"activation_function": "gelu_pytorch_tanh"},
    "another width": {"n_inner": 40, "layer_norm_epsilon": 1e-3},
}


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_transformers_models_load_with_their_logits(tmp_path: Path, variant: str) -> None:
    theirs = shaken(GPT2LMHeadModel(GPT2Config(**(SIZES | VARIANTS[variant]))))
    theirs.save_pretrained(tmp_path)
    ours = load_huggingface(tmp_path)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh"])
@pytest.mark.parametrize("tied", [True, False])
@torch.no_grad()
def test_saved_decoders_load_in_transformers_with_their_logits(
    tmp_path: Path, activation: str, tied: bool
) -> None:
    config = DecoderConfig(
        vocab_size=50, context_length=32, d_model=24, n_layers=2, n_heads=4, d_ff=40,
        norm="layer_norm", norm_eps=1e-3, feed_forward=activation, position="learned", bias=True,
        tie_embeddings=tied,
    )  # fmt: skip
    ours = shaken(Decoder(config))
    save_huggingface(ours, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert isinstance(theirs, GPT2LMHeadModel)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_first_files_are_read(tmp_path: Path) -> None:
    """OpenAI's files have no prefix, and hold the causal masks as tensors."""
    theirs = shaken(GPT2LMHeadModel(GPT2Config(**SIZES)))
    theirs.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    old = {name.removeprefix("transformer."): x.clone() for name, x in load_file(path).items()}
    for i in range(2):
        old[f"h.{i}.attn.bias"] = torch.ones(1, 1, 32, 32).tril()
        old[f"h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(old, path)
    torch.testing.assert_close(
        load_huggingface(tmp_path)(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0
    )


def test_the_fused_matrix_is_cut_in_the_order_query_key_value() -> None:
    config = GPT2.read_config(SIZES, "config.json")
    fused = torch.arange(24 * 72.0).reshape(24, 72)
    weights = GPT2.to_course({"transformer.h.1.attn.c_attn.weight": fused}, config, "a")
    key = weights["blocks.1.attention.key.weight"]
    assert key.shape == (24, 24)
    assert key[0, :2].tolist() == [24.0, 96.0], "row 0 of the key is column 24 of the file"
    assert list(weights) == [
        f"blocks.1.attention.{part}.weight" for part in ("query", "key", "value")
    ]


def test_our_config_is_read_back() -> None:
    config = DecoderConfig(
        vocab_size=50, context_length=32, d_model=24, n_layers=2, n_heads=4, d_ff=40,
        norm="layer_norm", norm_eps=1e-3, feed_forward="gelu", position="learned", bias=True,
        tie_embeddings=False,
    )  # fmt: skip
    assert GPT2.read_config(GPT2.write_config(config), "config.json") == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation_function": "relu"}, "activation_function: .* got relu"),
        ({"scale_attn_weights": False}, "scale_attn_weights: expected True, got False"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx"),
        ({"add_cross_attention": True}, "add_cross_attention: expected False, got True"),
    ],
)
def test_other_models_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CourseError, match=message) as caught:
        GPT2.read_config(SIZES | change, "config.json")
    assert "GPT2LMHeadModel" in str(caught.value)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(CourseError, match="expected the setting n_embd, got none"):
        GPT2.read_config({"vocab_size": 5}, "config.json")
