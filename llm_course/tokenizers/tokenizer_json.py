"""Save and load tokenizers as ``tokenizer.json``, the format of Hugging Face's ``tokenizers``.

What ``save`` writes, ``tokenizers.Tokenizer.from_file`` reads, and the other way round, with the
same ids. Leaves out truncation, padding and post-processors, which belong to a model's input and
not to its vocabulary: they are not read, and written as absent.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from llm_course.errors import CourseError
from llm_course.files import atomic_write
from llm_course.tokenizers.base import Tokenizer
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.bpe_json import read_bpe, write_bpe
from llm_course.tokenizers.tokenizer_document import read_document
from llm_course.tokenizers.unigram import Unigram
from llm_course.tokenizers.unigram_json import read_unigram, write_unigram
from llm_course.tokenizers.wordpiece import WordPiece
from llm_course.tokenizers.wordpiece_json import read_wordpiece, write_wordpiece


class Format(NamedTuple):
    """How one kind of tokenizer is kept.

    ``read`` takes the whole document; ``write`` gives its ``model`` and those of ``normalizer``,
    ``pre_tokenizer`` and ``decoder`` that are not absent.
    """

    kind: type
    read: Callable[[Mapping[str, Any]], Tokenizer]
    write: Callable[[Any], dict[str, Any]]


FORMATS = {
    "BPE": Format(ByteLevelBPE, read_bpe, write_bpe),
    "Unigram": Format(Unigram, read_unigram, write_unigram),
    "WordPiece": Format(WordPiece, read_wordpiece, write_wordpiece),
}
"""By the ``type`` of the document's model."""


def save(tokenizer: Tokenizer, path: str | os.PathLike[str]) -> None:
    """Write a tokenizer as ``tokenizer.json``.

    Raises:
        TypeError: the tokenizer is of no kind that has a format.
        CourseError: the file cannot be written.
    """
    formats = [form for form in FORMATS.values() if isinstance(tokenizer, form.kind)]
    if not formats:
        raise TypeError(
            f"tokenizer: expected {' or '.join(form.kind.__name__ for form in FORMATS.values())}, "
            f"got {type(tokenizer).__name__}."
        )
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    document: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": token_id, "content": token, **flags, "special": True}
            for token, token_id in sorted(tokenizer.special_tokens.items(), key=lambda t: t[1])
        ],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
    }
    document |= formats[0].write(tokenizer)
    atomic_write(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def load(path: str | os.PathLike[str]) -> Tokenizer:
    """Read a ``tokenizer.json``.

    Raises:
        CourseError: the file is damaged, or asks for something that the course cannot do exactly.
    """
    document = read_document(path)
    model = document.get("model")
    kind = model.get("type") if isinstance(model, dict) else None
    if not isinstance(kind, str) or kind not in FORMATS:
        raise CourseError(
            f"{path}: model.type: expected {' or '.join(FORMATS)}, got {str(kind)[:40]!r}. "
            "Fix: use a tokenizer of one of these kinds"
        )
    try:
        return FORMATS[kind].read(document)
    except (ValueError, TypeError) as error:
        raise CourseError(f"{path}: {error} Fix: get the file anew, or train one here") from error
