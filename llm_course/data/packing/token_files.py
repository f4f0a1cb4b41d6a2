"""Token ids on disk: shards of raw numbers that are memory-mapped, and an index in JSON.

Folder layout: ``index.json``; for each shard ``NAME.tokens``, the ids of its documents one after
the other, little-endian uint16 or uint32, and ``NAME.lengths``, the number of ids of each document,
uint32. A shard holds whole documents. Nothing is a pickle and nothing is read before it is used.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llm_course.errors import CourseError
from llm_course.files import atomic_write

INDEX = "index.json"
FORMAT = "llm-course tokens 1"
LARGEST_DOCUMENT = 2**32 - 1


def id_dtype(vocab_size: int) -> np.dtype:
    """The narrowest type that holds every id: uint16 up to 65,536 ids, else uint32.

    Raises:
        ValueError: the vocabulary is empty, or larger than 2³².

    >>> id_dtype(65_536).name, id_dtype(65_537).name
    ('uint16', 'uint32')
    """
    if not 1 <= vocab_size <= 2**32:
        raise ValueError(f"vocab_size: expected 1 to 2**32, got {vocab_size}.")
    return np.dtype("<u2") if vocab_size <= 2**16 else np.dtype("<u4")


def write_shard(
    folder: Path, name: str, documents: Iterable[Sequence[int] | np.ndarray], vocab_size: int
) -> dict[str, Any]:
    """Write one shard, and return its entry of the index.

    The documents of a shard are held in memory; a shard is as large as its caller makes it.

    Args:
        folder: where.
        name: the shard's, such as ``shard-00000``.
        documents: lists of ids; an empty one is left out.
        vocab_size: ids are below it.

    Raises:
        ValueError: an id is out of range.
        CourseError: the disk is full or the folder cannot be written.
    """
    dtype, pieces = id_dtype(vocab_size), []
    for document in documents:
        ids = np.asarray(document)
        if ids.size == 0:
            continue
        if ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= vocab_size:
            raise ValueError(
                f"ids: expected integers from 0 to vocab_size - 1 = {vocab_size - 1}, "
                f"got {ids.min()} to {ids.max()} ({ids.dtype})."
            )
        pieces.append(ids.astype(dtype))
    lengths = np.array([len(piece) for piece in pieces], dtype="<u4")
    data = np.concatenate([np.zeros(0, dtype), *pieces]).tobytes()
    atomic_write(folder / f"{name}.lengths", lengths.tobytes())
    atomic_write(folder / f"{name}.tokens", data)
    return {
        "name": name,
        "n_documents": len(lengths),
        "n_tokens": int(lengths.sum(dtype=np.int64)),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def write_index(
    folder: Path, shards: Sequence[dict[str, Any]], vocab_size: int, **facts: Any
) -> None:
    """Write the index; a folder without one is not finished.

    Args:
        folder: where the shards lie.
        shards: what ``write_shard`` returned, in order.
        vocab_size: ids are below it.
        facts: further plain values, such as the tokenizer's name.
    """
    index = {
        "format": FORMAT,
        "dtype": id_dtype(vocab_size).name,
        "vocab_size": vocab_size,
        "n_tokens": sum(shard["n_tokens"] for shard in shards),
        "shards": list(shards),
        **facts,
    }
    atomic_write(folder / INDEX, json.dumps(index, indent=1, sort_keys=True) + "\n")


def read_index(folder: Path) -> dict[str, Any]:
    """The index of a folder.

    Raises:
        CourseError: it is missing, damaged or of another format.
    """
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        found = index.get("format") if isinstance(index, dict) else type(index).__name__
    except FileNotFoundError:
        raise CourseError(
            f"{folder}: expected a folder with {INDEX}, found none. "
            "Fix: llm-course data build, until it ends"
        ) from None
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: expected an index, got {error}. Fix: build it again") from error
    if found != FORMAT:
        raise CourseError(f"{path}: expected {FORMAT!r}, got {found!r}. Fix: build it again")
    return index
