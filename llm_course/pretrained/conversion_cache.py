"""A model that took seconds to convert is kept as safetensors, and opened at once the next time.

The name of the kept file holds the SHA-256 of its source and the version of this format, so a
newer source or a newer converter never meets an old conversion. The file holds a checksum of its
own content: a damaged copy is noticed, said, and made again.

Leaves out clearing up: kept files stay until their folder is emptied.
"""

import hashlib
import warnings
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from llm_course.errors import CourseError
from llm_course.files import cache_dir
from llm_course.pretrained.tensor_files import read_tensors, write_tensors

FORMAT_VERSION = 2
"""Raised whenever a conversion would come out differently."""

Converted = tuple[dict[str, Tensor], dict[str, str]]
"""The tensors of a model, and the text that belongs to them (config, tokenizer)."""


def kept_path(source: Path) -> Path:
    """Where the conversion of a file is kept.

    Raises:
        CourseError: the source cannot be read.
    """
    try:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CourseError(f"{source}: cannot be read: {error}. Fix: get the file again") from error
    return cache_dir() / f"{source.stem}-{digest[:16]}-v{FORMAT_VERSION}.safetensors"


def converted(source: Path, convert: Callable[[Path], Converted]) -> Converted:
    """The conversion of a file: the kept one, or a new one that is then kept.

    Args:
        source: the file.
        convert: what reads it.

    Raises:
        CourseError: the source cannot be converted, or the cache cannot be written.
    """
    path = kept_path(source)
    if path.exists():
        try:
            return _read(path)
        except CourseError as error:
            warnings.warn(f"Converting {source.name} again. {error}", stacklevel=2)
    tensors, text = convert(source)
    write_tensors(path, tensors, text | {"checksum": checksum(tensors, text)})
    # The weights just converted are let go: what is used is the kept file, now as every time.
    del tensors
    return _read(path)


def checksum(tensors: Mapping[str, Tensor], text: Mapping[str, str]) -> str:
    """CRC-32 over all tensors (name, type, shape, bytes) and all text, in the order of names.

    >>> checksum({"a": torch.tensor([1, 2])}, {}) == checksum({"a": torch.tensor([1, 3])}, {})
    False
    """
    total = zlib.crc32(repr(sorted(text.items())).encode())
    for name, tensor in sorted(tensors.items()):
        total = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), total)
        total = zlib.crc32(tensor.contiguous().view(torch.uint8).numpy(), total)
    return f"{total:08x}"


def _read(path: Path) -> Converted:
    tensors, text = read_tensors(path, fix="it is made again")
    if text.pop("checksum", None) != checksum(tensors, text):
        raise CourseError(f"{path}: its bytes are not those that were written.")
    return tensors, text
