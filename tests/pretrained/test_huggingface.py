"""Hugging Face directories: bit-equal round trips, shards, and every way to be broken."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions
from llm_course.model.decoder import Decoder
from llm_course.pretrained import tensor_files
from llm_course.pretrained.huggingface import load_huggingface, save_huggingface

SIZES: dict[str, Any] = {
    "vocab_size": 40, "context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 4, "d_ff": 24,
}  # fmt: skip
LLAMA = DecoderConfig(**SIZES, n_kv_heads=2, tie_embeddings=False)
GPT2 = DecoderConfig(
    **SIZES, norm="layer_norm", feed_forward="gelu_tanh", position="learned", bias=True
)
TOKENS = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A Llama that is whole; the tests break it."""
    save_huggingface(Decoder(LLAMA), tmp_path)
    return tmp_path


def edit(directory: Path, **settings: object) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize("config", [LLAMA, GPT2], ids=["llama", "gpt2"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_round_trip_changes_no_bit(
    tmp_path: Path, config: DecoderConfig, dtype: torch.dtype
) -> None:
    model = Decoder(config, generator=torch.Generator().manual_seed(5)).to(dtype)
    save_huggingface(model, tmp_path)
    again = load_huggingface(tmp_path)
    assert again.config == config
    before, after = model.state_dict(), again.state_dict()
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert after[name].equal(tensor) and after[name].dtype == dtype, name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_an_interleaved_decoder_comes_back_half_split_with_its_logits(tmp_path: Path) -> None:
    config = DecoderConfig(
        **SIZES, n_kv_heads=2, position_options=PositionOptions(rope_pairing="interleaved")
    )
    model = Decoder(config)
    torch.nn.init.normal_(model.blocks[0].attention.query.weight)
    save_huggingface(model, tmp_path)
    again = load_huggingface(tmp_path)
    assert again.config.position_options.rope_pairing == "half_split"
    torch.testing.assert_close(again(TOKENS), model(TOKENS), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "theirs",
    [
        LlamaForCausalLM(
            LlamaConfig(
                vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=2,
            )
        ),
        GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=4)),
    ],
    ids=["llama", "gpt2"],
)  # fmt: skip
@torch.no_grad()
def test_shards_are_put_together(tmp_path: Path, theirs: LlamaForCausalLM) -> None:
    theirs.eval().save_pretrained(tmp_path, max_shard_size="4KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    torch.testing.assert_close(
        load_huggingface(tmp_path)(TOKENS), theirs(TOKENS).logits, atol=1e-5, rtol=0
    )


def test_dtype_can_be_asked_for(directory: Path) -> None:
    assert (
        load_huggingface(directory, dtype=torch.bfloat16).embedding.weight.dtype == torch.bfloat16
    )


def test_a_stored_copy_of_a_tied_matrix_is_dropped_if_it_is_one(tmp_path: Path) -> None:
    save_huggingface(Decoder(GPT2), tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    embedding = tensors["transformer.wte.weight"]
    save_file(tensors | {"lm_head.weight": embedding.clone()}, path)
    assert load_huggingface(tmp_path).output is None
    save_file(tensors | {"lm_head.weight": embedding + 1}, path)
    with pytest.raises(CourseError, match="tie_word_embeddings: expected false"):
        load_huggingface(tmp_path)


@pytest.mark.parametrize(
    "architectures", [["MixtralForCausalLM"], ["LlamaModel"], [], None, ["LlamaForCausalLM", "B"]]
)
def test_other_architectures_are_refused(directory: Path, architectures: list[str] | None) -> None:
    edit(directory, architectures=architectures)
    with pytest.raises(CourseError) as caught:
        load_huggingface(directory)
    found = ", ".join(architectures or ["none"])
    known = (
        "LlamaForCausalLM or GPT2LMHeadModel or MistralForCausalLM or BloomForCausalLM or "
        "T5ForConditionalGeneration or BartForConditionalGeneration"
    )
    assert f"expected {known}, got {found}." in str(caught.value)


def test_sizes_that_do_not_fit_are_one_line(directory: Path) -> None:
    edit(directory, num_attention_heads=5, head_dim=None)
    with pytest.raises(CourseError, match="n_heads: expected a divisor of d_model=16, got 5"):
        load_huggingface(directory)
    edit(directory, num_attention_heads=4, intermediate_size=25)
    with pytest.raises(CourseError, match=r"gate\.weight: expected shape \(25, 16\), got"):
        load_huggingface(directory)
    edit(directory, intermediate_size="24")
    with pytest.raises(CourseError, match="d_ff: expected a positive integer, got '24'"):
        load_huggingface(directory)


def test_missing_and_broken_files_are_one_line(directory: Path) -> None:
    weights, config = directory / "model.safetensors", directory / "config.json"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-10])
    with pytest.raises(CourseError, match="expected a whole safetensors file"):
        load_huggingface(directory)
    weights.unlink()
    with pytest.raises(CourseError, match=r"expected model\.safetensors or .* got neither"):
        load_huggingface(directory)
    config.write_text('{"architectures": [')
    with pytest.raises(CourseError, match="expected JSON"):
        load_huggingface(directory)
    config.write_text("[]")
    with pytest.raises(CourseError, match="expected a JSON object"):
        load_huggingface(directory)
    config.unlink()
    with pytest.raises(CourseError, match=r"config\.json: expected a Hugging Face model directory"):
        load_huggingface(directory)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"weight_map": {"lm_head.weight": "a.safetensors"}}, "a.safetensors: expected a whole"),
        ({"weight_map": {"lm_head.weight": "../a.safetensors"}}, "a weight_map of file names"),
        ({"weight_map": {"lm_head.weight": 7}}, "a weight_map of file names"),
        ({}, "a weight_map of file names"),
    ],
)
def test_a_broken_index_is_one_line(directory: Path, index: dict[str, Any], message: str) -> None:
    (directory / "model.safetensors").unlink()
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CourseError, match=message) as caught:
        load_huggingface(directory)
    assert "\n" not in str(caught.value)


def test_a_missing_tensor_is_named(directory: Path) -> None:
    path = directory / "model.safetensors"
    tensors = load_file(path)
    del tensors["model.norm.weight"]
    save_file(tensors, path)
    with pytest.raises(CourseError, match=r"expected a tensor final_norm\.weight"):
        load_huggingface(directory)


def test_a_decoder_that_is_neither_is_not_saved(tmp_path: Path) -> None:
    mixed = DecoderConfig(**SIZES, norm="layer_norm")
    with pytest.raises(CourseError, match="expected the parts of Llama .* or of GPT-2"):
        save_huggingface(Decoder(mixed), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_up(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tensor_files, "save_file", fill_up)
    with pytest.raises(CourseError, match="no space left"):
        save_huggingface(Decoder(LLAMA), tmp_path)
    assert list(tmp_path.iterdir()) == []
