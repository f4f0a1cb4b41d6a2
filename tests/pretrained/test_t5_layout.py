"""T5's relative positions and undivided scores: random-weight models both ways."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSeq2SeqLM, T5Config, T5ForConditionalGeneration

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.config_parts import PositionOptions, Wiring
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.model.masks import padding_mask
from llm_course.pretrained.huggingface import load_huggingface, save_huggingface
from llm_course.pretrained.t5_layout import T5

SIZES: dict[str, Any] = {
    "vocab_size": 50, "d_model": 24, "d_kv": 4, "d_ff": 40, "num_layers": 2, "num_heads": 6,
    "relative_attention_num_buckets": 8, "relative_attention_max_distance": 12,
}  # fmt: skip
SOURCE = torch.randint(1, 50, (2, 19), generator=torch.Generator().manual_seed(1))
TARGET = torch.randint(1, 50, (2, 16), generator=torch.Generator().manual_seed(2))


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Random weights of size 0.1 everywhere, norms included, so that each counts."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            size = 0.5 if "relative" in name else 0.1
            parameter.copy_(
                (parameter.dim() == 1) + size * torch.randn(parameter.shape, generator=generator)
            )
    return model.eval()


def their_logits(theirs: torch.nn.Module, real: torch.Tensor | None = None) -> torch.Tensor:
    return theirs(input_ids=SOURCE, decoder_input_ids=TARGET, attention_mask=real).logits


VARIANTS: dict[str, dict[str, Any]] = {
    "1.0": {},
    "1.1 feed-forward": {"feed_forward_proj": "gated-gelu"},
    "swiglu": {"feed_forward_proj": "gated-silu"},
    "gelu": {"feed_forward_proj": "gelu"},
    "unscaled output": {"scale_decoder_outputs": False},
    "another depth": {"num_decoder_layers": 3, "layer_norm_epsilon": 1e-3},
    "published buckets": {
        "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128,
    },
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_transformers_models_load_with_their_logits(tmp_path: Path, variant: str) -> None:
    theirs = shaken(T5ForConditionalGeneration(T5Config(**(SIZES | VARIANTS[variant]))))
    assert theirs.config.scale_decoder_outputs == (variant != "unscaled output")
    theirs.save_pretrained(tmp_path)
    ours = load_huggingface(tmp_path)
    assert isinstance(ours, EncoderDecoder)
    torch.testing.assert_close(ours(SOURCE, TARGET), their_logits(theirs), atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_padded_batch_has_their_logits(tmp_path: Path) -> None:
    theirs = shaken(T5ForConditionalGeneration(T5Config(**SIZES)))
    theirs.save_pretrained(tmp_path)
    real = torch.ones_like(SOURCE)
    real[1, 11:] = 0
    ours = load_huggingface(tmp_path)
    got = ours(SOURCE, TARGET, padding_mask(real, pad_id=0))
    torch.testing.assert_close(got, their_logits(theirs, real), atol=1e-5, rtol=0)
    assert (got - ours(SOURCE, TARGET)).abs().max() > 1e-3


def config(**change: Any) -> EncoderDecoderConfig:
    parts: dict[str, Any] = {
        "vocab_size": 50, "context_length": 32, "d_model": 24, "n_layers": 2, "n_heads": 6,
        "d_ff": 40, "norm_eps": 1e-6, "feed_forward": "relu", "position": "t5",
        "position_options": PositionOptions(n_buckets=8, max_distance=12),
        "wiring": Wiring(scale_scores=False, output_scale=24**-0.5),
    }  # fmt: skip
    stack = DecoderConfig(**parts | change)
    return EncoderDecoderConfig(encoder=stack, decoder=replace(stack, n_layers=3))


OURS: dict[str, dict[str, Any]] = {
    "1.0": {},
    "1.1": {"feed_forward": "geglu_tanh", "wiring": Wiring(scale_scores=False)},
    "swiglu": {"feed_forward": "swiglu"},
}


@pytest.mark.parametrize("variant", OURS)
@torch.no_grad()
def test_saved_models_load_in_transformers_with_their_logits(tmp_path: Path, variant: str) -> None:
    model = shaken(EncoderDecoder(config(**OURS[variant])))
    save_huggingface(model, tmp_path)
    theirs = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    assert isinstance(theirs, T5ForConditionalGeneration)
    torch.testing.assert_close(model(SOURCE, TARGET), their_logits(theirs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_round_trip_changes_no_bit_and_keeps_the_shared_matrix(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    model = shaken(EncoderDecoder(config())).to(dtype)
    save_huggingface(model, tmp_path)
    again = load_huggingface(tmp_path)
    assert again.config == model.config
    assert again.decoder.embedding.weight is again.encoder.embedding.weight
    for name, weight in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight), name


@torch.no_grad()
def test_copies_in_old_files_are_dropped_and_an_untied_output_is_kept(tmp_path: Path) -> None:
    save_huggingface(shaken(EncoderDecoder(config())), tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    shared = tensors["shared.weight"]
    old = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"
    copies = {f"{side}.embed_tokens.weight": shared.clone() for side in ("encoder", "decoder")}
    save_file(tensors | copies | {old: torch.ones(8, 6), "lm_head.weight": shared.clone()}, path)
    assert load_huggingface(tmp_path).decoder.output is None
    save_file(tensors | {"lm_head.weight": shared + 1}, path)
    with pytest.raises(CourseError, match="tie_word_embeddings: expected false"):
        load_huggingface(tmp_path)
    settings = (tmp_path / "config.json").read_text()
    untied = settings.replace('"tie_word_embeddings": true', '"tie_word_embeddings": false')
    (tmp_path / "config.json").write_text(untied)
    assert torch.equal(load_huggingface(tmp_path).decoder.output.weight, shared + 1)


def test_the_published_setting_of_1_1_means_an_output_of_its_own_that_is_not_scaled() -> None:
    read = T5.read_config(SIZES | {"tie_word_embeddings": False}, "config.json").decoder
    assert not read.tie_embeddings and read.wiring.output_scale == 1.0
    read = T5.read_config(SIZES, "config.json").decoder
    assert read.tie_embeddings and read.wiring.output_scale == 24**-0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feed_forward_proj": "gated-relu"}, "feed_forward_proj: expected .* got gated-relu"),
        ({"d_kv": 8}, "d_kv: expected d_model / num_heads = 4, got 8"),
    ],
)
def test_other_models_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CourseError, match=message):
        T5.read_config(SIZES | change, "config.json")


@pytest.mark.parametrize(
    "change",
    [{"wiring": Wiring()}, {"position": "rope"}, {"bias": True}, {"norm": "layer_norm"},
     {"tie_embeddings": False}, {"n_kv_heads": 2}],
)  # fmt: skip
def test_a_model_of_other_parts_is_not_saved(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(CourseError, match="expected the parts of Llama"):
        save_huggingface(EncoderDecoder(config(**change)), tmp_path / "out")
    assert not (tmp_path / "out").exists()
