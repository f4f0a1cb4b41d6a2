"""GGUF files written here with the gguf library, and the faults of damaged and foreign ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType
from torch import Tensor

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions
from llm_course.pretrained.gguf import GGUFFile, gguf_config, gguf_weights, open_gguf

Writer = Callable[..., Path]


def test_config_is_the_metadata(tmp_path: Path, gguf_writer: Writer) -> None:
    assert gguf_config(open_gguf(gguf_writer(tmp_path / "a.gguf"))) == DecoderConfig(
        vocab_size=4,
        context_length=16,
        d_model=32,
        n_layers=1,
        n_heads=4,
        n_kv_heads=2,
        d_ff=64,
        norm_eps=1e-5,
        position_options=PositionOptions(rope_base=5000.0),
        tie_embeddings=True,
    )


def test_an_output_matrix_unties(
    tmp_path: Path, gguf_writer: Writer, gguf_tensors: dict[str, Tensor]
) -> None:
    tensors = gguf_tensors | {"output.weight": torch.randn(4, 32)}
    file = open_gguf(gguf_writer(tmp_path / "a.gguf", tensors=tensors))
    config = gguf_config(file)
    assert not config.tie_embeddings
    assert gguf_weights(file, config)["output.weight"].equal(tensors["output.weight"])


def test_weights_are_the_tensors_with_queries_and_keys_put_back(
    tmp_path: Path, gguf_writer: Writer, gguf_tensors: dict[str, Tensor]
) -> None:
    file = open_gguf(gguf_writer(tmp_path / "a.gguf"))
    weights = gguf_weights(file, gguf_config(file))
    assert len(weights) == len(gguf_tensors)
    assert weights["embedding.weight"].equal(gguf_tensors["token_embd.weight"])
    assert weights["blocks.0.attention.value.weight"].equal(gguf_tensors["blk.0.attn_v.weight"])
    for ours, theirs in (("query", "q"), ("key", "k")):
        packed = gguf_tensors[f"blk.0.attn_{theirs}.weight"]
        # Row by row: feature 2i of a head in the file is feature i of its first half, feature
        # 2i + 1 is feature i of its second half.
        expected = torch.empty_like(packed)
        for row in range(len(packed)):
            head, feature = divmod(row, 8)
            expected[head * 8 + feature // 2 + 4 * (feature % 2)] = packed[row]
        assert weights[f"blocks.0.attention.{ours}.weight"].equal(expected), ours


def test_q4_1_is_unpacked_by_its_definition(
    tmp_path: Path, gguf_writer: Writer, gguf_tensors: dict[str, Tensor]
) -> None:
    path = gguf_writer(tmp_path / "a.gguf", packed=GGMLQuantizationType.Q4_1)
    file = open_gguf(path)
    # A block of 20 bytes: scale and minimum in fp16, then 16 bytes, low halves before high halves.
    block = bytes(file.tensors["blk.0.attn_v.weight"].data[0])[:20]
    scale, minimum = np.frombuffer(block[:4], np.float16).astype(np.float32)
    numbers = [byte & 15 for byte in block[4:]] + [byte >> 4 for byte in block[4:]]
    expected = torch.tensor([scale * number + minimum for number in numbers])
    unpacked = gguf_weights(file, gguf_config(file))["blocks.0.attention.value.weight"]
    torch.testing.assert_close(unpacked[0, :32], expected, atol=1e-6, rtol=0)
    largest_error = (unpacked - gguf_tensors["blk.0.attn_v.weight"]).abs().max().item()
    assert 0.01 < largest_error < 0.3, "4 bits over a range of about 4 round by up to about 0.15"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"general.architecture": "gpt2"}, "expected 'llama', got 'gpt2'"),
        ({"llama.expert_count": 8}, "llama.expert_count: expected 0, got 8"),
        ({"llama.rope.scaling.type": "yarn"}, "llama.rope.scaling.type: expected 'none'"),
        ({"llama.rope.dimension_count": 4}, "expected d_model / n_heads = 8, got 4"),
        ({"llama.attention.key_length": 16}, "expected d_model / n_heads = 8, got 16"),
        ({"llama.attention.head_count": 5}, "n_heads: expected a divisor of d_model=32, got 5"),
        ({"llama.attention.head_count_kv": [2]}, "n_kv_heads"),
        ({"llama.block_count": None}, "expected the metadata llama.block_count, got none"),
    ],
)
def test_unsupported_models_are_refused(
    tmp_path: Path, gguf_writer: Writer, settings: dict[str, Any], message: str
) -> None:
    path = gguf_writer(tmp_path / "a.gguf", settings)
    with pytest.raises(CourseError) as caught:
        gguf_config(open_gguf(path))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert " Fix: " in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["rope_freqs.weight", "blk.0.attn_q_norm.weight", "blk.7.ffn_up.weight"]
)
def test_unknown_tensors_are_refused(
    tmp_path: Path, gguf_writer: Writer, gguf_tensors: dict[str, Tensor], name: str
) -> None:
    file = open_gguf(
        gguf_writer(tmp_path / "a.gguf", tensors=gguf_tensors | {name: torch.ones(32)})
    )
    with pytest.raises(CourseError, match=f"got '{name}' besides"):
        gguf_weights(file, gguf_config(file))


def test_a_type_that_cannot_be_unpacked_is_named(tmp_path: Path, gguf_writer: Writer) -> None:
    file = open_gguf(gguf_writer(tmp_path / "a.gguf"))
    packed = file.tensors["output_norm.weight"]._replace(tensor_type=GGMLQuantizationType.Q8_1)
    foreign = GGUFFile(file.path, file.metadata, {**file.tensors, packed.name: packed})
    with pytest.raises(CourseError, match="output_norm.weight: .* got Q8_1"):
        gguf_weights(foreign, gguf_config(foreign))


def test_every_truncation_is_noticed(tmp_path: Path, gguf_writer: Writer) -> None:
    whole = gguf_writer(tmp_path / "a.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in [4, 5, 8, 23, *range(24, len(whole) - 128, 1009), len(whole) - 128]:
        cut.write_bytes(whole[:length])
        with pytest.raises(CourseError) as caught:
            open_gguf(cut, fix="install it again")
        message = str(caught.value)
        assert "truncated" in message and message.endswith("Fix: install it again"), length
        assert "\n" not in message


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04 a zip", b"\x00" * 100])
def test_another_file_is_not_taken_for_gguf(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(content)
    with pytest.raises(CourseError, match="expected a GGUF file, it begins with"):
        open_gguf(path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="expected a GGUF file, got: .*No such file"):
        open_gguf(tmp_path / "none.gguf")
