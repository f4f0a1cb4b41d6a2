"""The real model, converted once for the session, and Transformers' own reading of its file."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.pretrained.smollm2 import load_smollm2, smollm2_file


@pytest.fixture(scope="session")
def smollm2_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("smollm2-cache")
    yield folder
    shutil.rmtree(folder)  # 540 MB, which pytest would keep for three runs.


@pytest.fixture(scope="session")
def smollm2(smollm2_cache: Path) -> PretrainedModel:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_COURSE_CACHE", str(smollm2_cache))
        return load_smollm2()


@pytest.fixture(scope="session")
def transformers_smollm2() -> LlamaForCausalLM:
    file = smollm2_file()
    return AutoModelForCausalLM.from_pretrained(
        str(file.parent), gguf_file=file.name, dtype=torch.float32
    ).eval()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of the test's own."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("LLM_COURSE_CACHE", str(folder))
    return folder


TINY_SETTINGS: dict[str, Any] = {
    "general.architecture": "llama",
    "general.license": "mit",
    "llama.context_length": 16,
    "llama.embedding_length": 32,
    "llama.block_count": 1,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.feed_forward_length": 64,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.rope.freq_base": 5000.0,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": ["a", "b", "ab", "<end>"],
    "tokenizer.ggml.token_type": [1, 1, 1, 3],
    "tokenizer.ggml.merges": ["a b"],
    "tokenizer.ggml.eos_token_id": 3,
}


def tiny_tensors(d: int = 32, d_kv: int = 16, d_ff: int = 64) -> dict[str, torch.Tensor]:
    """The tensors of a Llama of one block, as llama.cpp names them."""
    shapes = {
        "token_embd.weight": (4, d),
        "blk.0.attn_norm.weight": (d,),
        "blk.0.attn_q.weight": (d, d),
        "blk.0.attn_k.weight": (d_kv, d),
        "blk.0.attn_v.weight": (d_kv, d),
        "blk.0.attn_output.weight": (d, d),
        "blk.0.ffn_norm.weight": (d,),
        "blk.0.ffn_gate.weight": (d_ff, d),
        "blk.0.ffn_up.weight": (d_ff, d),
        "blk.0.ffn_down.weight": (d, d_ff),
        "output_norm.weight": (d,),
    }
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def write_gguf(
    path: Path,
    settings: dict[str, Any] | None = None,
    tensors: dict[str, torch.Tensor] | None = None,
    packed: GGMLQuantizationType = GGMLQuantizationType.F32,
) -> Path:
    """Write a GGUF file with the gguf library; a setting of None is left out."""
    settings = TINY_SETTINGS | (settings or {})
    writer = GGUFWriter(path, settings.pop("general.architecture"))
    add = {
        str: writer.add_string, int: writer.add_uint32, float: writer.add_float32,
        list: writer.add_array,
    }  # fmt: skip
    for key, value in settings.items():
        if value is not None:
            add[type(value)](key, value)
    for name, tensor in (tensors if tensors is not None else tiny_tensors()).items():
        data = tensor.numpy()
        raw = packed if tensor.dim() == 2 else GGMLQuantizationType.F32
        writer.add_tensor(name, quantize(data, raw), raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def gguf_writer() -> Any:
    """``write_gguf``: test modules are imported by path and cannot import this one."""
    return write_gguf


@pytest.fixture
def gguf_tensors() -> dict[str, torch.Tensor]:
    """The tensors that ``write_gguf`` writes unless it is given others."""
    return tiny_tensors()
