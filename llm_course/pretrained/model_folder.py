"""A model to talk to, from a folder: weights, tokenizer, chat template, and what ends a turn.

A Hugging Face folder holds ``config.json``, safetensors, ``tokenizer.json`` and the template in
``tokenizer_config.json`` or ``chat_template.jinja``. A GGUF file holds all of it. Leaves out
tokenizers other than byte-level BPE, and models with several tokens that end a turn: the
tokenizer's own counts.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.gguf_tokenizer import TokenizerTables, build_tokenizer
from llm_course.pretrained.huggingface import load_huggingface
from llm_course.pretrained.pretrained_model import PretrainedModel, assemble
from llm_course.pretrained.smollm2 import convert_gguf
from llm_course.tokenizers import tokenizer_json
from llm_course.tokenizers.bpe import ByteLevelBPE

_AGAIN = "get the model again, with its tokenizer"


def load_folder(
    path: str | os.PathLike[str], device: torch.device | str = "cpu"
) -> PretrainedModel:
    """The model in a Hugging Face folder or a GGUF file, in fp32.

    Raises:
        CourseError: a file is missing or damaged, or of a kind that is not supported.
    """
    path = Path(path)
    if path.suffix == ".gguf":
        return _from_gguf(path, device)
    model = load_huggingface(path, device, torch.float32)
    if not isinstance(model, Decoder):
        raise CourseError(
            f"{path}: expected a decoder, got an encoder with a decoder. Fix: {_AGAIN}"
        )
    tokenizer = tokenizer_json.load(path / "tokenizer.json")
    if not isinstance(tokenizer, ByteLevelBPE):
        found = type(tokenizer).__name__
        raise CourseError(f"{path}: expected byte-level BPE, got {found}. Fix: {_AGAIN}")
    if len(tokenizer) != model.config.vocab_size:
        sizes = f"got {len(tokenizer)} tokens and vocab_size={model.config.vocab_size}"
        raise CourseError(f"{path}: expected one token for each logit, {sizes}. Fix: {_AGAIN}")
    settings = _read_settings(path)
    return PretrainedModel(
        name=path.resolve().name,
        licence="not stated",
        model=model,
        tokenizer=tokenizer,
        chat_template=_template(path, settings),
        end_id=_end_id(path, settings, tokenizer),
    )


def _from_gguf(path: Path, device: torch.device | str) -> PretrainedModel:
    tensors, text = convert_gguf(path)
    config = DecoderConfig.from_dict(json.loads(text["config"]))
    tables = TokenizerTables(**json.loads(text["tokenizer"]))
    return PretrainedModel(
        name=path.stem,
        licence=text["licence"],
        model=assemble(config, tensors, str(path), device, torch.float32),
        tokenizer=build_tokenizer(tables),
        chat_template=tables.chat_template,
        end_id=tables.end_id,
    )


def _read_settings(folder: Path) -> dict[str, Any]:
    """``tokenizer_config.json``; a folder without one has no settings."""
    path = folder / "tokenizer_config.json"
    if not path.exists():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: expected JSON, got: {error}. Fix: {_AGAIN}") from error
    if not isinstance(settings, dict):
        raise CourseError(f"{path}: expected a JSON object. Fix: {_AGAIN}")
    return settings


def _template(folder: Path, settings: dict[str, Any]) -> str:
    """The chat template, which sees the token that opens a text; empty if there is none."""
    file = folder / "chat_template.jinja"
    template = file.read_text(encoding="utf-8") if file.exists() else settings.get("chat_template")
    if template is None:
        return ""
    if not isinstance(template, str):
        raise CourseError(f"{folder}: chat_template: expected one text. Fix: {_AGAIN}")
    names = {name: _content(settings.get(name)) or "" for name in ("bos_token", "eos_token")}
    # The line end after a tag is no part of the text.
    return "".join(f"{{% set {k} = {json.dumps(v)} %}}\n" for k, v in names.items()) + template


def _end_id(folder: Path, settings: dict[str, Any], tokenizer: ByteLevelBPE) -> int:
    token = _content(settings.get("eos_token"))
    if token is not None and token in tokenizer.vocabulary:
        return tokenizer.vocabulary[token]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    number = config.get("eos_token_id")
    if type(number) is int and 0 <= number < len(tokenizer):
        return number
    raise CourseError(
        f"{folder}: expected the token that ends a text, as eos_token in tokenizer_config.json "
        f"or eos_token_id in config.json, got neither. Fix: {_AGAIN}"
    )


def _content(token: Any) -> str | None:
    """A token's text, which newer files write as an object."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None
