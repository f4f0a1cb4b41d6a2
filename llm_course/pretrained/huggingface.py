"""Hugging Face model directories, read into the course's models and written from them.

A directory holds ``config.json`` and ``model.safetensors``, or several safetensors files and
``model.safetensors.index.json``, which says what is where. Leaves out tokenizers, architectures
without a layout, and pickled weights.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llm_course.errors import CourseError
from llm_course.files import atomic_write
from llm_course.model.config import EncoderDecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.pretrained.bart_layout import BART
from llm_course.pretrained.bloom_layout import BLOOM
from llm_course.pretrained.gpt2_layout import GPT2
from llm_course.pretrained.layout import SUPPORTED, Config, Layout, Settings, unsupported
from llm_course.pretrained.llama_layout import LLAMA
from llm_course.pretrained.mistral_layout import MISTRAL
from llm_course.pretrained.pretrained_model import assemble
from llm_course.pretrained.t5_layout import T5
from llm_course.pretrained.tensor_files import read_tensors, write_tensors

LAYOUTS = {layout.architecture: layout for layout in (LLAMA, GPT2, MISTRAL, BLOOM, T5, BART)}
"""The supported architectures, by the name of Transformers' class."""

_WEIGHTS, _INDEX, _CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"
_AGAIN = "download the directory again"


def load_huggingface(
    directory: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    settings: Settings | None = None,
) -> Decoder | EncoderDecoder:
    """The model in a Hugging Face directory.

    Args:
        directory: where ``config.json`` and the weights are.
        device: where the model goes.
        dtype: what its weights become; as stored if None.
        settings: what to read in place of ``config.json``, by who handles a part of it himself.

    Raises:
        CourseError: a file is missing or damaged, or the architecture is not supported.
    """
    directory = Path(directory)
    source = str(directory / _CONFIG)
    settings = read_settings(directory) if settings is None else settings
    layout = _layout_of(settings, source)
    try:
        config = layout.read_config(settings, source)
    except (ValueError, TypeError) as error:
        raise CourseError(f"{source}: {error} Fix: {_AGAIN}") from error
    weights = layout.to_course(_read_weights(directory), config, str(directory))
    _drop_copy_of_embedding(weights, config, source)
    return assemble(config, weights, str(directory), device, dtype, layout.model)


def save_huggingface(model: Decoder | EncoderDecoder, directory: str | os.PathLike[str]) -> None:
    """Write a model as a directory that Transformers loads with the same logits.

    Raises:
        CourseError: no supported architecture is made of these parts, the disk is full, or the
            folder cannot be written.
    """
    directory, config = Path(directory), model.config
    fitting = (x for x in LAYOUTS.values() if isinstance(model, x.model) and x.fits(config))
    layout = next(fitting, None)
    if layout is None:
        raise CourseError(
            f"{directory}: expected the parts of Llama (rms_norm, swiglu, rope), of Mistral (with "
            "a window), of BLOOM (layer_norm, gelu_tanh, alibi, embedding_norm), of T5, of BART or "
            "of GPT-2 (layer_norm, gelu or gelu_tanh, learned, bias, as many key-value heads as "
            f"heads), got {config}. "
            "Fix: change the config, or save the state dict as safetensors"
        )
    settings = {
        "architectures": [layout.architecture],
        "dtype": str(next(model.parameters()).dtype).removeprefix("torch."),
        **layout.write_config(config),
    }
    tensors = layout.to_huggingface(model.state_dict(), config)
    write_tensors(directory / _WEIGHTS, tensors, {"format": "pt"})
    atomic_write(directory / _CONFIG, json.dumps(settings, indent=2) + "\n")


def read_settings(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """The content of a directory's ``config.json``.

    Raises:
        CourseError: it is missing or damaged.
    """
    return _read_json(Path(directory) / _CONFIG)


def _layout_of(settings: Settings, source: str) -> Layout:
    architectures = settings.get("architectures") or ["none"]
    if len(architectures) != 1 or architectures[0] not in LAYOUTS:
        found = ", ".join(map(str, architectures))
        raise unsupported(source, "architectures", " or ".join(LAYOUTS), found)
    return LAYOUTS[architectures[0]]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(
            f"{path}: expected a Hugging Face model directory with this file, got: {error}. "
            f"Fix: use {SUPPORTED}"
        ) from error
    except ValueError as error:
        raise CourseError(f"{path}: expected JSON, got: {error}. Fix: {_AGAIN}") from error
    if not isinstance(content, dict):
        raise CourseError(f"{path}: expected a JSON object, got a list or value. Fix: {_AGAIN}")
    return content


def _read_weights(directory: Path) -> dict[str, Tensor]:
    """The tensors of all safetensors files of a directory, by Hugging Face's names."""
    if (directory / _WEIGHTS).exists():
        return read_tensors(directory / _WEIGHTS, fix=_AGAIN)[0]
    if not (directory / _INDEX).exists():
        raise CourseError(
            f"{directory}: expected {_WEIGHTS} or {_INDEX}, got neither. "
            f"Fix: {_AGAIN}, with its safetensors files (pickled weights are never read)"
        )
    places = _read_json(directory / _INDEX).get("weight_map")
    # A file is named, not a path: an index may not point out of its directory.
    if not isinstance(places, dict) or any(Path(str(p)).name != p for p in places.values()):
        raise CourseError(
            f"{directory / _INDEX}: expected a weight_map of file names. Fix: {_AGAIN}"
        )
    tensors: dict[str, Tensor] = {}
    for file in sorted(set(places.values())):
        tensors |= read_tensors(directory / file, fix=_AGAIN)[0]
    return tensors


def _drop_copy_of_embedding(weights: dict[str, Tensor], config: Config, source: str) -> None:
    """Forget an output matrix that is stored besides the embedding it is tied to."""
    writes = "decoder." if isinstance(config, EncoderDecoderConfig) else ""
    if not (config.decoder if writes else config).tie_embeddings:
        return
    copy = weights.pop(f"{writes}output.weight", None)
    if copy is not None and not torch.equal(copy, weights.get(f"{writes}embedding.weight", copy)):
        raise CourseError(
            f"{source}: tie_word_embeddings: expected false, because the output matrix differs "
            "from the embedding, got true. Fix: set it to false there"
        )
