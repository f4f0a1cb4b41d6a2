"""Hugging Face directories whose RoPE is stretched, read and written.

Transformers keeps the method under ``rope_parameters`` (version 5) or ``rope_scaling`` (version 4).
Leaves out ``llama3`` and ``longrope``, which are methods of their own.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from llm_course.errors import CourseError
from llm_course.files import atomic_write
from llm_course.long_context.dynamic import DynamicNTK
from llm_course.long_context.rope_scaling import (
    RopeScaling,
    check_rotary,
    stretched,
    with_config,
)
from llm_course.long_context.yarn import YarnRange, yarn_magnitude
from llm_course.model.decoder import Decoder
from llm_course.pretrained.huggingface import load_huggingface, read_settings, save_huggingface
from llm_course.pretrained.layout import setting

READ = ("linear", "dynamic", "yarn")
"""The kinds that Transformers knows as well; it has no plain NTK."""


def load_stretched(
    directory: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> Decoder | DynamicNTK:
    """The model in a Hugging Face directory, with the RoPE that its config asks for.

    Args:
        directory: where ``config.json`` and the weights are.
        device: where the model goes.
        dtype: what its weights become; as stored if None.

    Raises:
        CourseError: as ``load_huggingface``, or the kind of scaling is not supported.
    """
    settings, source = read_settings(directory), str(Path(directory) / "config.json")
    scaling = scaling_of(settings, source)
    model = load_huggingface(directory, device, dtype, _without_scaling(settings))
    if scaling is None:
        return model
    return DynamicNTK(model, scaling) if scaling.kind == "dynamic" else stretched(model, scaling)


def save_stretched(model: Decoder, scaling: RopeScaling, directory: str | os.PathLike[str]) -> None:
    """Write a model and its scaling as a directory that Transformers loads with the same logits.

    Args:
        model: the weights; whether it is stretched already does not matter.
        scaling: how it is to be read.
        directory: where ``config.json`` and the weights go.

    Raises:
        CourseError: the kind has no name in Transformers, or as ``save_huggingface``.
        ValueError: the model has no rotary positions.
    """
    config = check_rotary(model.config)
    if scaling.kind not in READ:
        raise CourseError(
            f"scaling: expected {', '.join(READ)}, which Transformers knows, got {scaling.kind}. "
            "Fix: save a model whose rope_base is the larger one"
        )
    options = replace(config.position_options, rope_frequencies=(), rope_magnitude=1.0)
    save_huggingface(with_config(model, replace(config, position_options=options)), directory)
    rope = _rope_settings(scaling)
    # What "longest" means differs: YaRN's is the target, that of the others the trained length.
    settings = read_settings(directory) | {
        "max_position_embeddings": scaling.target if scaling.kind == "yarn" else scaling.original,
        "rope_parameters": {"rope_theta": options.rope_base, **rope},
        "rope_scaling": rope,
    }
    atomic_write(Path(directory) / "config.json", json.dumps(settings, indent=2) + "\n")


def _rope_settings(scaling: RopeScaling) -> dict[str, Any]:
    """A scaling as Transformers writes it."""
    rope = {"rope_type": scaling.kind, "factor": scaling.factor}
    if scaling.kind != "yarn":
        return rope
    if scaling.magnitude is not None:
        rope["attention_factor"] = scaling.magnitude
    return rope | {
        "original_max_position_embeddings": scaling.original,
        "beta_fast": scaling.turns.fast,
        "beta_slow": scaling.turns.slow,
        "truncate": scaling.turns.whole_pairs,
    }


def scaling_of(settings: Mapping[str, Any], source: str) -> RopeScaling | None:
    """The scaling that a ``config.json`` asks for, or None if it asks for none.

    Raises:
        CourseError: its kind is not supported, or a number is missing or out of range.

    >>> scaling_of({"rope_scaling": {"type": "linear", "factor": 2.0},
    ...             "max_position_embeddings": 4096}, "config.json").target
    8192
    """
    rope = _rope(settings)
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "default":
        return None
    if kind not in READ:
        raise CourseError(
            f"{source}: rope_type: expected default, {', '.join(READ)}, got {kind}. "
            "Fix: use a model with one of these"
        )
    longest = settings.get("max_position_embeddings", 2048)
    original = longest
    if kind == "yarn":
        original = rope.get("original_max_position_embeddings") or longest
        rope = {**rope, "factor": rope.get("factor") or longest / original}
    try:
        factor = float(setting(rope, "factor", source))
        return RopeScaling(kind=kind, factor=factor, original=original, **_yarn(rope, kind, factor))
    except (ValueError, TypeError) as error:
        raise CourseError(f"{source}: {error} Fix: get the model's own config.json") from error


def _yarn(rope: Mapping[str, Any], kind: str, factor: float) -> dict[str, Any]:
    """YaRN's own numbers."""
    if kind != "yarn":
        return {}
    turns = YarnRange(
        rope.get("beta_fast") or 32.0, rope.get("beta_slow") or 1.0, rope.get("truncate", True)
    )
    magnitude = rope.get("attention_factor")
    over, under = rope.get("mscale"), rope.get("mscale_all_dim")
    if magnitude is None and over and under:
        magnitude = yarn_magnitude(factor, over) / yarn_magnitude(factor, under)
    return {"turns": turns, "magnitude": magnitude}


def _rope(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    return settings.get("rope_parameters") or settings.get("rope_scaling") or {}


def _without_scaling(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the same model with its own RoPE."""
    rope = _rope(settings)
    kept = {k: rope[k] for k in ("rope_theta", "partial_rotary_factor") if k in rope}
    plain = {k: v for k, v in settings.items() if k != "rope_scaling"}
    return plain | {"rope_parameters": {"rope_type": "default", **kept}}
