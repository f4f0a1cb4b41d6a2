"""BLOOM's ALiBi and its fused matrix: random-weight models both ways, padding included."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BloomConfig, BloomForCausalLM

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.decoder import Decoder
from llm_course.model.masks import causal_mask, padding_mask
from llm_course.pretrained.bloom_layout import BLOOM
from llm_course.pretrained.huggingface import load_huggingface, save_huggingface

SIZES = {"vocab_size": 50, "hidden_size": 24, "n_layer": 2, "n_head": 6}
TOKENS = torch.randint(1, 50, (2, 17), generator=torch.Generator().manual_seed(1))


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Random weights of size 0.1 everywhere, biases and norms included, so that each counts."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


VARIANTS: dict[str, dict[str, Any]] = {
    "six heads": {},
    "eight heads": {"n_head": 8},
    "three heads": {"n_head": 3},
    "untied": {"tie_word_embeddings": False},
    "eps": {"layer_norm_epsilon": 1e-3},
}


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_transformers_models_load_with_their_logits(tmp_path: Path, variant: str) -> None:
    theirs = shaken(BloomForCausalLM(BloomConfig(**(SIZES | VARIANTS[variant]))))
    theirs.save_pretrained(tmp_path)
    ours = load_huggingface(tmp_path)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_left_padded_batch_has_their_logits(tmp_path: Path) -> None:
    theirs = shaken(BloomForCausalLM(BloomConfig(**SIZES)))
    theirs.save_pretrained(tmp_path)
    tokens, real = TOKENS.clone(), torch.ones_like(TOKENS)
    tokens[0, :5], real[0, :5] = 0, 0
    mask = causal_mask(17) & padding_mask(tokens, pad_id=0)
    expected = theirs(tokens, attention_mask=real).logits[real > 0]
    got = load_huggingface(tmp_path)(tokens, mask=mask)[real > 0]
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)


def ours(**change: Any) -> DecoderConfig:
    parts: dict[str, Any] = {
        "vocab_size": 50, "context_length": 32, "d_model": 24, "n_layers": 2, "n_heads": 6,
        "d_ff": 96, "norm": "layer_norm", "norm_eps": 1e-4, "feed_forward": "gelu_tanh",
        "position": "alibi", "bias": True, "wiring": Wiring(embedding_norm=True),
    }  # fmt: skip
    return DecoderConfig(**parts | change)


@pytest.mark.parametrize("tied", [True, False])
@torch.no_grad()
def test_saved_decoders_load_in_transformers_with_their_logits(tmp_path: Path, tied: bool) -> None:
    model = shaken(Decoder(ours(tie_embeddings=tied)))
    save_huggingface(model, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert isinstance(theirs, BloomForCausalLM)
    torch.testing.assert_close(model(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)


def test_a_round_trip_changes_no_bit(tmp_path: Path) -> None:
    model = shaken(Decoder(ours()))
    save_huggingface(model, tmp_path)
    again = load_huggingface(tmp_path)
    assert again.config == model.config
    for name, weight in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight), name


@torch.no_grad()
def test_published_files_have_no_prefix_and_older_names_of_settings(tmp_path: Path) -> None:
    theirs = shaken(BloomForCausalLM(BloomConfig(**SIZES)))
    theirs.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    save_file({k.removeprefix("transformer."): v for k, v in load_file(path).items()}, path)
    torch.testing.assert_close(
        load_huggingface(tmp_path)(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0
    )
    old = {"vocab_size": 50, "n_embed": 24, "num_attention_heads": 6, "n_layer": 2}
    assert BLOOM.read_config(old, "a") == BLOOM.read_config(SIZES, "a")


def test_the_fused_matrix_is_cut_head_by_head() -> None:
    config = BLOOM.read_config(SIZES, "config.json")
    rows = {"h.1.self_attention.query_key_value.bias": torch.arange(72.0)}
    weights = BLOOM.to_course(rows, config, "a")
    # Heads of 4: the key of head 0 is rows 4 to 7, that of head 1 rows 16 to 19.
    key = weights["blocks.1.attention.key.bias"]
    assert key[:8].tolist() == [4.0, 5.0, 6.0, 7.0, 16.0, 17.0, 18.0, 19.0]


def test_other_models_are_refused() -> None:
    with pytest.raises(CourseError, match="apply_residual_connection_post_layernorm: expected"):
        BLOOM.read_config(SIZES | {"apply_residual_connection_post_layernorm": True}, "a")
    with pytest.raises(CourseError, match="expected the setting n_head, got none"):
        BLOOM.read_config({"vocab_size": 5, "hidden_size": 8, "n_layer": 1}, "a")
    for change in ({"d_ff": 95}, {"n_kv_heads": 3}, {"wiring": Wiring()}, {"position": "rope"}):
        assert not BLOOM.fits(ours(**change))
