"""The parts of a ``tokenizer.json`` that all kinds of tokenizers share: reading with clear errors.

A document is the parsed JSON. A reader takes the whole document, because the model, the normaliser
and the pre-tokenizer together decide the ids; it refuses what it cannot do exactly.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from llm_course.errors import CourseError

T = TypeVar("T")


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The parsed file.

    Raises:
        CourseError: it is absent, not text, truncated, or not a JSON object.
    """
    fix = "Fix: give a whole tokenizer.json, as save() or Hugging Face's tokenizers write it"
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # JSON and UTF-8 errors are ValueErrors
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise CourseError(f"{path}: expected a JSON text, got: {reason}. {fix}") from error
    if not isinstance(content, dict):
        raise CourseError(f"{path}: expected a JSON object, got a {type(content).__name__}. {fix}")
    return content


def part(document: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """One part of a document, its place written with dots.

    Raises:
        ValueError: it is absent or of another type.

    >>> part({"model": {"vocab": {"a": 0}}}, "model.vocab", dict)
    {'a': 0}
    >>> part({"model": {"vocab": 3}}, "model.vocab", dict)
    Traceback (most recent call last):
    ...
    ValueError: model.vocab: expected dict, got 3.
    """
    value: Any = document
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, kind):
        raise ValueError(f"{name}: expected {kind.__name__}, got {str(value)[:60]}.")
    return value


def only(document: Mapping[str, Any], name: str, *supported: object) -> Any:
    """One part of a document, which must be one of the values that the course can do.

    An absent part is None.

    Raises:
        ValueError: it is another.

    >>> only({"normalizer": None}, "normalizer", None)
    """
    value: Any = document
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if value not in supported:
        wanted = " or ".join(str(choice)[:80] for choice in supported)
        raise ValueError(f"{name}: expected {wanted}, got {str(value)[:80]}.")
    return value


def vocabulary(document: Mapping[str, Any]) -> dict[str, int]:
    """The ids of the model's tokens.

    Raises:
        ValueError: it is no table from texts to ids.

    >>> vocabulary({"model": {"vocab": {"a": 0}}})
    {'a': 0}
    """
    table = part(document, "model.vocab", dict)
    for token, token_id in table.items():
        if type(token_id) is not int or token_id < 0:
            raise ValueError(f"model.vocab: expected ids, got {str(token_id)[:40]} for {token!r}.")
    return table


def added_tokens(document: Mapping[str, Any]) -> dict[str, int]:
    """The ids of the special tokens.

    Raises:
        ValueError: an added token is no special one, or takes the spaces or the word beside it.

    >>> added_tokens({"added_tokens": [{"id": 5, "content": "<end>", "special": True}]})
    {'<end>': 5}
    """
    special: dict[str, int] = {}
    found = part(document, "added_tokens", list) if document.get("added_tokens") else []
    for token in found:
        content, token_id = part(token, "content", str), part(token, "id", int)
        if not token.get("special") or any(map(token.get, ("single_word", "lstrip", "rstrip"))):
            raise ValueError(
                f"added_tokens: expected special tokens that take nothing beside them, "
                f"got {content!r}."
            )
        special[content] = token_id
    return special
