"""Checkpoints of several processes: a folder in which each of them writes what it has.

PyTorch's ``torch.distributed.checkpoint`` (DCP) writes and reads the tensors. A tensor is kept
under its name with the place of each part in the whole, so that a run may go on with another number
of processes, or laid out in another way. Its safetensors storage is used: the default one would
read a pickle. A manifest, the last file, holds the facts and the digest of each file; the folder is
written under a temporary name and renamed. All processes must see the same disk.
"""

import hashlib
import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import Tensor
from torch.distributed.checkpoint import HuggingFaceStorageReader, HuggingFaceStorageWriter

from llm_course.files import atomic_write
from llm_course.training.checkpoint import CorruptCheckpoint

FORMAT = "llm-course sharded checkpoint 1"
MANIFEST = "manifest.json"
_FIX = "delete this folder, and the run goes on from the checkpoint before, or begins anew"


def write_sharded(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all; every process of the default group calls it.

    Args:
        path: the folder.
        tensors: what this process has, by name: whole tensors, of which one process writes each,
            and DTensors, of which each writes its part.
        facts: what JSON can hold; those of the first process are kept.

    Raises:
        CourseError: the disk is full or the folder cannot be written.

    >>> import tempfile, torch
    >>> path = Path(tempfile.mkdtemp(), "a.sharded")
    >>> write_sharded(path, {"x": torch.tensor([1.5])}, {"step": 3})
    >>> read_manifest(path)["facts"]
    {'step': 3}
    >>> found = {"x": torch.zeros(1)}
    >>> read_sharded(path, found)
    >>> found["x"]
    tensor([1.5000])
    """
    temporary = path.with_name(f".{path.name}.tmp")
    if _rank() == 0:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    _gathered(None)  # nobody writes before the folder is there
    storage = HuggingFaceStorageWriter(str(temporary), save_distributed=True)
    with _quiet():
        dcp.save(dict(tensors), storage_writer=storage, no_dist=not dist.is_initialized())
    # DCP numbers its files by process, from 1.
    own = sorted(temporary.glob(f"shard-{_rank() + 1:05d}-*.safetensors"))
    wholes = {name: [str(t.dtype).removeprefix("torch."), list(t.shape)]
              for name, t in tensors.items()}  # fmt: skip
    parts = _gathered(({file.name: _digest(file) for file in own}, wholes))
    if _rank() == 0:
        manifest = {
            "format": FORMAT,
            "facts": facts,
            "files": _merged(files for files, _ in parts),
            "tensors": _merged(wholes for _, wholes in parts),
        }
        manifest["sha256"] = _manifest_digest(manifest)
        atomic_write(temporary / MANIFEST, json.dumps(manifest, indent=1) + "\n")
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
    _gathered(None)  # nobody goes on before it is whole


def read_manifest(path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself, once all its files are known to be as they were written.

    Every process calls it; each reads some of the files, and all learn of a damaged one.

    Returns:
        ``facts``, and by name the dtype and shape of the whole ``tensors``.

    Raises:
        CorruptCheckpoint: a file is absent, truncated or changed.
    """
    manifest, problem = _manifest(path)
    names = sorted(manifest.get("files", {}))[_rank() :: _size()]
    problems = [problem] + [_file_problem(path / name, manifest["files"][name]) for name in names]
    for found in _gathered([text for text in problems if text]):
        if found:
            raise CorruptCheckpoint(f"{found[0]}. Fix: {_FIX}")
    return manifest


def read_sharded(path: Path, tensors: dict[str, Tensor]) -> None:
    """Fill tensors, in place, with those of a checkpoint; every process calls it.

    Args:
        path: the folder.
        tensors: by name, of the whole's shape: plain ones are filled whole, DTensors with this
            process' part, however the writers had divided it.
    """
    storage = HuggingFaceStorageReader(str(path))
    with _quiet():
        dcp.load(tensors, storage_reader=storage, no_dist=not dist.is_initialized())


def _manifest(path: Path) -> tuple[dict[str, Any], str]:
    """The manifest, or what is wrong with it."""
    file = path / MANIFEST
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return {}, f"{file}: expected a checkpoint's manifest, got {error}"
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        return {}, f"{file}: expected {FORMAT!r}, got {found!r}"
    if manifest.get("sha256") != _manifest_digest(manifest):
        return {}, f"{file}: expected content with its own sha256, got a changed or damaged file"
    return manifest, ""


def _file_problem(file: Path, digest: str) -> str:
    """What is wrong with a file, or nothing."""
    if not file.is_file():
        return f"{file}: expected a file of the checkpoint, found none"
    found = _digest(file)
    if found == digest:
        return ""
    return (
        f"{file}: expected content with sha256 {digest[:12]}…, got {found[:12]}…: "
        "the file was changed or damaged"
    )


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _manifest_digest(manifest: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


@contextmanager
def _quiet() -> Iterator[None]:
    """Within it DCP does not warn that a single process is single, which it is told."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        yield


def _merged(parts: Any) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


def _rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def _size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def _gathered(value: Any) -> list[Any]:
    """What every process passed; all wait for all."""
    if not dist.is_initialized():
        return [value]
    values: list[Any] = [None] * _size()
    dist.all_gather_object(values, value)
    return values
