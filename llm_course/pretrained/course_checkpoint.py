"""The course checkpoint: a small decoder of the tiny world, which writes its sentences.

It comes with the package, in full precision, and was trained by the course's own command on the
course's own text; later chapters start from it. ``course_checkpoint_facts`` says how it was made.
"""

import json
from pathlib import Path
from typing import Any

import torch

from llm_course.errors import CourseError
from llm_course.model.attention import Attend, scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.pretrained.pretrained_model import PretrainedModel, assemble
from llm_course.pretrained.tensor_files import read_tensors
from llm_course.tokenizers import tokenizer_json
from llm_course.tokenizers.bpe import ByteLevelBPE

FOLDER = Path(__file__).parents[1] / "resources" / "course_checkpoint"
"""``model.safetensors``, ``config.json``, ``tokenizer.json``, ``log.csv`` and ``result.json``."""

END = "<|endoftext|>"
"""The token that ends each text, and from which a new one begins."""

_FIX = "get the course again, or train it: llm-course train --config configs/course.toml"


def load_course_checkpoint(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    attend: Attend = scaled_dot_product_attention,
    folder: Path = FOLDER,
) -> PretrainedModel:
    """The course checkpoint with its tokenizer, ready for inference.

    It is a base model: it continues text, and has no chat template. A text begins after ``END``,
    the model's ``end_id``.

    Args:
        device: where the model goes.
        dtype: what its weights become.
        attend: what computes attention; ``fused_attention`` for speed.
        folder: where its files lie; any folder that ``llm-course train`` wrote will do.

    Raises:
        CourseError: a file is missing or damaged, or they do not belong together.

    >>> loaded = load_course_checkpoint()
    >>> loaded.model.config.context_length, loaded.model.config.position
    (128, 'rope')
    """
    config = DecoderConfig.from_dict(_read_json(folder / "config.json"))
    tensors, _ = read_tensors(folder / "model.safetensors", fix=_FIX)
    tokenizer = tokenizer_json.load(folder / "tokenizer.json")
    if not isinstance(tokenizer, ByteLevelBPE) or len(tokenizer) != config.vocab_size:
        raise CourseError(
            f"{folder}: expected byte-level BPE with {config.vocab_size} tokens, got "
            f"{type(tokenizer).__name__} with {len(tokenizer)}. Fix: {_FIX}"
        )
    return PretrainedModel(
        name="course checkpoint",
        licence="MIT",
        model=assemble(config, tensors, str(folder), device, dtype, attend=attend),
        tokenizer=tokenizer,
        chat_template="",
        end_id=tokenizer.special_tokens[END],
    )


def course_checkpoint_facts(folder: Path = FOLDER) -> dict[str, Any]:
    """How the checkpoint was made: command, seed, data and their hash, versions, and its loss.

    Raises:
        CourseError: the file is missing or damaged.

    >>> course_checkpoint_facts()["data"]["tokens"]  # none were read: the text was generated
    ''
    """
    return _read_json(folder / "result.json")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: expected JSON, got: {error}. Fix: {_FIX}") from error
    if not isinstance(found, dict):
        raise CourseError(f"{path}: expected a JSON object, got {found!r:.40}. Fix: {_FIX}")
    return found
