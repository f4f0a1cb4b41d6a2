"""Llama's config in the styles of Transformers 4 and 5, and random-weight models both ways."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions
from llm_course.model.decoder import Decoder
from llm_course.pretrained.huggingface import load_huggingface, save_huggingface
from llm_course.pretrained.llama_layout import LLAMA

SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
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
    "grouped": {},
    "multi-head": {"num_key_value_heads": 8},
    "multi-query": {"num_key_value_heads": 1},
    "bias": {"attention_bias": True, "mlp_bias": True},
    "tied": {"tie_word_embeddings": True},
    "base and eps": {"rope_theta": 500.0, "rms_norm_eps": 1e-3},
}


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_transformers_models_load_with_their_logits(tmp_path: Path, variant: str) -> None:
    theirs = shaken(LlamaForCausalLM(LlamaConfig(**(SIZES | VARIANTS[variant]))))
    theirs.save_pretrained(tmp_path)
    ours = load_huggingface(tmp_path)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)


DECODERS: dict[str, dict[str, Any]] = {
    "grouped": {},
    "untied with bias": {"tie_embeddings": False, "bias": True},
    "interleaved": {"position_options": PositionOptions(rope_pairing="interleaved")},
    "interleaved with bias": {
        "position_options": PositionOptions(rope_pairing="interleaved"),
        "bias": True,
    },
    "base and eps": {"position_options": PositionOptions(rope_base=300.0), "norm_eps": 1e-3},
}


@pytest.mark.parametrize("variant", DECODERS)
@torch.no_grad()
def test_saved_decoders_load_in_transformers_with_their_logits(
    tmp_path: Path, variant: str
) -> None:
    config = DecoderConfig(
        vocab_size=50, context_length=64, d_model=32, n_layers=3, n_heads=8, n_kv_heads=2,
        d_ff=40, **DECODERS[variant],
    )  # fmt: skip
    ours = shaken(Decoder(config))
    save_huggingface(ours, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert isinstance(theirs, LlamaForCausalLM)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)


NEW = {"rope_parameters": {"rope_theta": 7.0, "rope_type": "default"}}
OLD = {"rope_theta": 7.0, "rope_scaling": None}


@pytest.mark.parametrize("rope", [NEW, OLD, NEW | OLD], ids=["5", "4", "both"])
def test_both_styles_of_rope_are_read(rope: dict[str, Any]) -> None:
    assert LLAMA.read_config(SIZES | rope, "config.json").position_options.rope_base == 7.0
    assert LLAMA.read_config(SIZES, "config.json").position_options.rope_base == 10_000.0


def test_our_config_is_read_back() -> None:
    config = DecoderConfig(
        vocab_size=50, context_length=64, d_model=32, n_layers=3, n_heads=8, n_kv_heads=2,
        d_ff=40, norm_eps=1e-3, bias=True, tie_embeddings=False,
        position_options=PositionOptions(rope_base=7.0),
    )  # fmt: skip
    assert LLAMA.read_config(LLAMA.write_config(config), "config.json") == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "rope_type: .* got 'linear'"),
        ({"rope_scaling": {"rope_type": "llama3"}}, "rope_type: .* got 'llama3'"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "rope_type: .* got 'yarn'"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor: expected 1.0, got 0.5"),
        ({"head_dim": 8}, "head_dim: expected hidden_size / num_attention_heads = 4, got 8"),
        ({"attention_bias": True}, "mlp_bias: expected True as attention_bias, got False"),
        ({"mlp_bias": True}, "mlp_bias: expected False as attention_bias, got True"),
        ({"hidden_act": "gelu"}, "hidden_act: expected 'silu', got 'gelu'"),
    ],
)
def test_other_models_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CourseError, match=message) as caught:
        LLAMA.read_config(SIZES | change, "config.json")
    assert "Fix: use LlamaForCausalLM" in str(caught.value)


@pytest.mark.parametrize("key", ["hidden_size", "num_attention_heads", "vocab_size"])
def test_a_missing_setting_is_named(key: str) -> None:
    with pytest.raises(CourseError, match=f"expected the setting {key}, got none"):
        LLAMA.read_config({k: v for k, v in SIZES.items() if k != key}, "config.json")


def test_frequencies_stored_in_old_files_are_left_out() -> None:
    config = LLAMA.read_config(SIZES, "config.json")
    old = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)}
    assert LLAMA.to_course(old, config, "a") == {}
    with pytest.raises(CourseError, match="q_norm"):
        LLAMA.to_course({"model.layers.0.self_attn.q_norm.weight": torch.ones(2)}, config, "a")
