"""GGUF files (llama.cpp's format) of Llama models: metadata to config, blocks of bits to weights.

**Queries and keys.** llama.cpp rotates neighbouring features (RoPE ``interleaved``), and its
converter has reordered the rows of every query and key projection to suit. Read as they stand
with the other pairing, the weights load and the model talks nonsense. Here the rows are put back
into the order in which the model was trained, for ``half_split``: every matrix is then the
published one, comparable with Transformers' row by row, and needs no conversion on its way out.

**Quantized tensors** become fp32. Q4_1 keeps, for each 32 weights, 32 numbers of 4 bits, a scale
and a minimum: ``weight = scale * number + minimum``. What rounding lost stays lost.

Leaves out other architectures, mixtures of experts and stretched RoPE: each is refused.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader, ReaderTensor
from gguf.quants import QuantError, dequantize
from torch import Tensor

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions
from llm_course.model.positions import interleaved_to_half_split
from llm_course.pretrained.names import expand, renamed

_NAMES = {
    "token_embd": "embedding",
    "blk.{i}.attn_norm": "blocks.{i}.attention_norm",
    "blk.{i}.attn_q": "blocks.{i}.attention.query",
    "blk.{i}.attn_k": "blocks.{i}.attention.key",
    "blk.{i}.attn_v": "blocks.{i}.attention.value",
    "blk.{i}.attn_output": "blocks.{i}.attention.output",
    "blk.{i}.ffn_norm": "blocks.{i}.feed_forward_norm",
    "blk.{i}.ffn_gate": "blocks.{i}.feed_forward.gate",
    "blk.{i}.ffn_up": "blocks.{i}.feed_forward.up",
    "blk.{i}.ffn_down": "blocks.{i}.feed_forward.down",
    "output_norm": "final_norm",
    "output": "output",
}


@dataclass(frozen=True)
class GGUFFile:
    """An opened file: its path, its metadata as Python values, its tensors still packed."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, ReaderTensor]

    def value(self, key: str) -> Any:
        """The metadata under a key.

        Raises:
            CourseError: there is none.
        """
        if key not in self.metadata:
            raise CourseError(
                f"{self.path}: expected the metadata {key}, got none. "
                "Fix: convert the model again with a current llama.cpp"
            )
        return self.metadata[key]


def open_gguf(path: str | os.PathLike[str], fix: str = "get the file again") -> GGUFFile:
    """Open a GGUF file; its tensors are mapped, not read.

    Args:
        path: the file.
        fix: what the reader should do when the file is damaged; it ends the message.

    Raises:
        CourseError: the file is absent, is not GGUF, or is truncated.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise CourseError(f"{path}: expected a GGUF file, got: {error}. Fix: {fix}") from error
    if magic != b"GGUF":
        raise CourseError(f"{path}: expected a GGUF file, it begins with {magic!r}. Fix: {fix}")
    try:
        reader = GGUFReader(path)
        metadata = {name: field.contents() for name, field in reader.fields.items()}
    # The reader checks no length: what is missing shows as an empty or a short array.
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise CourseError(
            f"{path}: expected a whole GGUF file, got a truncated or damaged one of "
            f"{path.stat().st_size:,} bytes. Fix: {fix}"
        ) from error
    return GGUFFile(path, metadata, {tensor.name: tensor for tensor in reader.tensors})


def gguf_config(file: GGUFFile) -> DecoderConfig:
    """The sizes and choices of the model in a GGUF file.

    Raises:
        CourseError: the architecture is not a plain Llama, or the metadata are incomplete.
    """
    _refuse_other_architectures(file)
    vocab_size = len(file.value("tokenizer.ggml.tokens"))
    n_heads = file.value("llama.attention.head_count")
    try:
        config = DecoderConfig(
            vocab_size=file.metadata.get("llama.vocab_size", vocab_size),
            context_length=file.value("llama.context_length"),
            d_model=file.value("llama.embedding_length"),
            n_layers=file.value("llama.block_count"),
            n_heads=n_heads,
            n_kv_heads=file.metadata.get("llama.attention.head_count_kv", n_heads),
            d_ff=file.value("llama.feed_forward_length"),
            norm_eps=_shortest(file.value("llama.attention.layer_norm_rms_epsilon")),
            position_options=PositionOptions(
                rope_base=_shortest(file.metadata.get("llama.rope.freq_base", 10_000.0)),
                rope_pairing="half_split",
            ),
            tie_embeddings="output.weight" not in file.tensors,
        )
    except (ValueError, TypeError) as error:
        raise CourseError(f"{file.path}: {error} Fix: use a plain Llama model") from error
    for key in ("rope.dimension_count", "attention.key_length", "attention.value_length"):
        found = file.metadata.get(f"llama.{key}", config.d_head)
        if found != config.d_head:
            raise CourseError(
                f"{file.path}: llama.{key}: expected d_model / n_heads = {config.d_head}, "
                f"got {found}. Fix: use a model that rotates whole heads of that size"
            )
    return config


def gguf_weights(file: GGUFFile, config: DecoderConfig) -> dict[str, Tensor]:
    """Every weight in fp32, by the course's names, queries and keys in ``half_split`` order.

    Shapes:
        matrices ``out in``, as in ``nn.Linear``.

    Raises:
        CourseError: a tensor is unknown, or packed in a way that the gguf library cannot unpack.
    """
    names = expand(_NAMES, config.n_layers)
    weights = {}
    for packed in file.tensors.values():
        name = renamed(packed.name, names, str(file.path))
        try:
            unpacked = dequantize(packed.data, packed.tensor_type)
        except (NotImplementedError, QuantError) as error:
            raise CourseError(
                f"{file.path}: {packed.name}: expected a type that the gguf library unpacks, "
                f"got {packed.tensor_type.name}. Fix: pip install --upgrade gguf"
            ) from error
        # An fp32 tensor is still the file itself, which may not be written to: that one is copied.
        weight = torch.from_numpy(np.require(unpacked, np.float32, "W"))
        if ".attention.query." in name:
            weight = interleaved_to_half_split(weight, config.n_heads)
        elif ".attention.key." in name:
            weight = interleaved_to_half_split(weight, config.n_kv_heads)
        weights[name] = weight
    return weights


def _refuse_other_architectures(file: GGUFFile) -> None:
    found = [("general.architecture", "llama", file.value("general.architecture"))]
    for key, plain in (("expert_count", 0), ("rope.scaling.type", "none")):
        found.append((f"llama.{key}", plain, file.metadata.get(f"llama.{key}", plain)))
    for key, supported, value in found:
        if value != supported:
            raise CourseError(
                f"{file.path}: {key}: expected {supported!r}, got {value!r}. "
                "Fix: use a Llama model without experts and without stretched RoPE"
            )


def _shortest(value: float) -> float:
    """The decimal that a number stored in fp32 was written as: 9.999999747e-06 is 1e-05."""
    return float(str(np.float32(value)))
