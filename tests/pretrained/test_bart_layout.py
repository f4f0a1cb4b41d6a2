"""BART's post-norm stacks and shifted positions: random-weight models both ways."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, BartConfig, BartForConditionalGeneration

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.model.masks import causal_mask, padding_mask
from llm_course.pretrained.bart_layout import BART
from llm_course.pretrained.huggingface import load_huggingface, save_huggingface

SIZES: dict[str, Any] = {
    "vocab_size": 50, "d_model": 24, "max_position_embeddings": 20, "encoder_layers": 2,
    "decoder_layers": 3, "encoder_attention_heads": 4, "decoder_attention_heads": 6,
    "encoder_ffn_dim": 40, "decoder_ffn_dim": 48,
}  # fmt: skip
SOURCE = torch.randint(3, 50, (2, 19), generator=torch.Generator().manual_seed(1))
TARGET = torch.randint(3, 50, (2, 16), generator=torch.Generator().manual_seed(2))


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Random weights of size 0.1 everywhere, biases and norms included, so that each counts."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


VARIANTS: dict[str, dict[str, Any]] = {
    "published": {},
    "scaled embedding": {"scale_embedding": True},
    "relu": {"activation_function": "relu"},
    "tanh": {"activation_function": "gelu_new"},
}


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_transformers_models_load_with_their_logits(tmp_path: Path, variant: str) -> None:
    theirs = shaken(BartForConditionalGeneration(BartConfig(**(SIZES | VARIANTS[variant]))))
    theirs.save_pretrained(tmp_path)
    ours = load_huggingface(tmp_path)
    assert isinstance(ours, EncoderDecoder)
    expected = theirs(input_ids=SOURCE, decoder_input_ids=TARGET).logits
    torch.testing.assert_close(ours(SOURCE, TARGET), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_padded_batch_has_their_logits(tmp_path: Path) -> None:
    theirs = shaken(BartForConditionalGeneration(BartConfig(**SIZES)))
    theirs.save_pretrained(tmp_path)
    real, written = torch.ones_like(SOURCE), torch.ones_like(TARGET)
    real[1, 11:], written[0, 12:] = 0, 0
    expected = theirs(
        input_ids=SOURCE, attention_mask=real, decoder_input_ids=TARGET,
        decoder_attention_mask=written,
    ).logits[written > 0]  # fmt: skip
    got = load_huggingface(tmp_path)(
        SOURCE, TARGET, padding_mask(real, 0), causal_mask(16) & padding_mask(written, 0)
    )[written > 0]
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)


def config(**change: Any) -> EncoderDecoderConfig:
    parts: dict[str, Any] = {
        "vocab_size": 50, "context_length": 20, "d_model": 24, "n_layers": 2, "n_heads": 4,
        "d_ff": 40, "norm": "layer_norm", "feed_forward": "gelu", "position": "learned",
        "bias": True, "wiring": Wiring(placement="post", embedding_norm=True),
    }  # fmt: skip
    stack = DecoderConfig(**parts | change)
    other = replace(stack, n_layers=3, d_ff=48)
    return EncoderDecoderConfig(encoder=stack, decoder=other)


OURS: dict[str, dict[str, Any]] = {
    "published": {},
    "scaled": {"wiring": Wiring(placement="post", embedding_norm=True, embedding_scale=24**0.5)},
    "swish": {"feed_forward": "swish"},
}


@pytest.mark.parametrize("variant", OURS)
@torch.no_grad()
def test_saved_models_load_in_transformers_with_their_logits(tmp_path: Path, variant: str) -> None:
    model = shaken(EncoderDecoder(config(**OURS[variant])))
    save_huggingface(model, tmp_path)
    theirs = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    assert isinstance(theirs, BartForConditionalGeneration)
    expected = theirs(input_ids=SOURCE, decoder_input_ids=TARGET).logits
    torch.testing.assert_close(model(SOURCE, TARGET), expected, atol=1e-5, rtol=0)


def test_a_round_trip_changes_no_bit_and_keeps_the_shared_matrix(tmp_path: Path) -> None:
    model = shaken(EncoderDecoder(config()))
    save_huggingface(model, tmp_path)
    again = load_huggingface(tmp_path)
    assert again.config == model.config
    assert again.decoder.embedding.weight is again.encoder.embedding.weight
    for name, weight in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight), name


def test_the_first_two_positions_are_dropped_and_put_back() -> None:
    table = torch.arange(22.0)[:, None].expand(22, 24)
    name = "model.encoder.embed_positions.weight"
    read = BART.to_course({name: table}, config(), "a")["encoder.position_embedding.weight"]
    assert read[:, 0].tolist() == [float(i) for i in range(2, 22)]
    written = BART.to_huggingface({"encoder.position_embedding.weight": read}, config())[name]
    assert written[:4, 0].tolist() == [0.0, 0.0, 2.0, 3.0]


def test_a_bias_of_the_logits_is_refused_unless_it_is_zero() -> None:
    zeros = torch.zeros(1, 50)
    assert BART.to_course({"final_logits_bias": zeros}, config(), "a") == {}
    with pytest.raises(CourseError, match="final_logits_bias: expected zeros, got other numbers"):
        BART.to_course({"final_logits_bias": zeros + 1}, config(), "a")


def test_another_activation_is_refused() -> None:
    with pytest.raises(CourseError, match="activation_function: expected .* got tanh"):
        BART.read_config(SIZES | {"activation_function": "tanh"}, "config.json")


@pytest.mark.parametrize(
    "change",
    [{"wiring": Wiring()}, {"position": "sinusoidal"}, {"norm_eps": 1e-6}, {"bias": False},
     {"tie_embeddings": False}, {"n_kv_heads": 2}, {"feed_forward": "swiglu"}],
)  # fmt: skip
def test_a_model_of_other_parts_is_not_saved(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(CourseError, match="expected the parts of Llama"):
        save_huggingface(EncoderDecoder(config(**change)), tmp_path / "out")
    assert not (tmp_path / "out").exists()
