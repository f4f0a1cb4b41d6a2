"""Mistral's window: random-weight models both ways, on texts longer than it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions, Wiring
from llm_course.model.decoder import Decoder
from llm_course.pretrained.huggingface import load_huggingface, save_huggingface
from llm_course.pretrained.mistral_layout import MISTRAL

SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "sliding_window": 5,
}
TOKENS = torch.randint(0, 50, (2, 17), generator=torch.Generator().manual_seed(1))


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Random weights of size 0.1 everywhere, biases and norms included, so that each counts."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


@pytest.mark.parametrize("kernel", ["eager", "sdpa"])
@pytest.mark.parametrize("window", [5, 1, 40, None])
@torch.no_grad()
def test_transformers_models_load_with_their_logits(
    tmp_path: Path, window: int | None, kernel: str
) -> None:
    config = MistralConfig(**SIZES | {"sliding_window": window}, attn_implementation=kernel)
    theirs = shaken(MistralForCausalLM(config))
    theirs.save_pretrained(tmp_path)
    ours = load_huggingface(tmp_path)
    assert ours.config.wiring.window == window
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)


def ours(**change: Any) -> DecoderConfig:
    parts: dict[str, Any] = {"wiring": Wiring(window=5), "tie_embeddings": False, **change}
    return DecoderConfig(
        vocab_size=50, context_length=64, d_model=32, n_layers=2, n_heads=8, n_kv_heads=2,
        d_ff=40, **parts,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tie_embeddings": True},
        {"position_options": PositionOptions(rope_pairing="interleaved")},
    ],
    ids=["plain", "tied", "interleaved"],
)
@torch.no_grad()
def test_saved_decoders_load_in_transformers_with_their_logits(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    model = shaken(Decoder(ours(**change)))
    save_huggingface(model, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert isinstance(theirs, MistralForCausalLM)
    torch.testing.assert_close(model(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0)
    shorter = Decoder(ours(**change | {"wiring": Wiring(window=4)}))
    shorter.load_state_dict(model.state_dict())
    assert (shorter(TOKENS) - model(TOKENS)).abs().max() > 1e-3, "the window makes no difference"


def test_our_config_is_read_back_and_one_without_a_window_is_llama() -> None:
    assert MISTRAL.read_config(MISTRAL.write_config(ours()), "config.json") == ours()
    assert MISTRAL.fits(ours()) and not MISTRAL.fits(ours(wiring=Wiring()))
    assert not MISTRAL.fits(ours(bias=True))


def test_an_absent_window_is_transformers_default() -> None:
    bare = {key: value for key, value in SIZES.items() if key != "sliding_window"}
    assert MISTRAL.read_config(bare, "config.json").wiring.window == MistralConfig().sliding_window


def test_a_bias_is_refused() -> None:
    with pytest.raises(CourseError, match="attention_bias: expected False, got True"):
        MISTRAL.read_config(SIZES | {"attention_bias": True, "mlp_bias": True}, "config.json")
