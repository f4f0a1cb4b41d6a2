"""Checkpoints: a whole training run in one safetensors file, from which it goes on bit by bit.

A file holds the weights, the optimizer's moments and the state of the random numbers as tensors,
and as JSON beside them the step, the configuration, the data's hash and the position in the data.
It is written under a temporary name and renamed, so that a run that is killed while it writes
leaves the checkpoint before. A digest of everything tells a damaged file. The checkpoints of
several processes are folders (``sharded_checkpoint.py``), with the same names in them.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llm_course.errors import CourseError
from llm_course.pretrained.tensor_files import read_tensors, write_tensors

FORMAT = "llm-course checkpoint 1"
SHARDED = ".sharded"
_NAME = re.compile(rf"step-(\d{{8}})\.(safetensors|{SHARDED[1:]})")
_FIX = "delete it, and the run goes on from the checkpoint before, or begins anew"


class CorruptCheckpoint(CourseError):
    """The file is no whole checkpoint."""


class MismatchedCheckpoint(CourseError):
    """The checkpoint is that of another run: of another model, configuration or data."""


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint after ``step`` steps lies.

    >>> checkpoint_path(Path("run"), 250).name
    'step-00000250.safetensors'
    """
    return folder / f"step-{step:08d}.safetensors"


def checkpoint_step(path: Path) -> int:
    """After how many steps a checkpoint was written, by its name.

    >>> checkpoint_step(checkpoint_path(Path("run"), 250))
    250
    """
    return int(path.stem.removeprefix("step-"))


def find_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, the latest last."""
    return sorted(path for path in folder.glob("step-*") if _NAME.fullmatch(path.name))


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        path: where.
        tensors: by name.
        facts: what JSON can hold.

    Raises:
        CourseError: the disk is full or the folder cannot be written.
    """
    # Two names of one storage are written twice: safetensors refuses to share.
    kept = {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
    text = json.dumps(facts, sort_keys=True)
    metadata = {"format": FORMAT, "facts": text, "sha256": _digest(kept, text)}
    write_tensors(path, kept, metadata)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the facts of a checkpoint.

    Raises:
        CorruptCheckpoint: the file is absent, truncated, changed, or no checkpoint at all.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.safetensors")
    >>> write_checkpoint(path, {"x": torch.tensor([1.5])}, {"step": 3})
    >>> read_checkpoint(path)
    ({'x': tensor([1.5000])}, {'step': 3})
    """
    try:
        tensors, metadata = read_tensors(path, fix=_FIX)
    except CourseError as error:
        raise CorruptCheckpoint(str(error)) from error
    if metadata.get("format") != FORMAT or not {"facts", "sha256"} <= metadata.keys():
        found = metadata.get("format")
        raise CorruptCheckpoint(f"{path}: expected {FORMAT!r}, got {found!r}. Fix: {_FIX}")
    digest = _digest(tensors, metadata["facts"])
    if digest != metadata["sha256"]:
        raise CorruptCheckpoint(
            f"{path}: expected content with sha256 {metadata['sha256'][:12]}…, got {digest[:12]}…: "
            f"the file was changed or damaged. Fix: {_FIX}"
        )
    return tensors, json.loads(metadata["facts"])


def check_same_run(path: Path, expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Refuse the checkpoint of another run, and name what differs.

    Args:
        path: of the checkpoint; it opens the message.
        expected: what this run is: nested mappings of plain values.
        found: the same of the checkpoint.

    Raises:
        MismatchedCheckpoint: a value differs.

    >>> check_same_run(Path("a"), {"config": {"d": 4}}, {"config": {"d": 8}})
    Traceback (most recent call last):
    ...
    llm_course.training.checkpoint.MismatchedCheckpoint: a: config.d: expected 4, got 8: ...
    """
    wanted, got = _flat(json.loads(json.dumps(expected))), _flat(found)
    for name in sorted(wanted.keys() | got.keys()):
        one, other = wanted.get(name, "nothing"), got.get(name, "nothing")
        if one != other:
            raise MismatchedCheckpoint(
                f"{path}: {name}: expected {one!r}, got {other!r}: the checkpoint is that of "
                "another run. Fix: name another folder with --out, or begin anew with --force"
            )


def keep_latest(folder: Path, n: int) -> None:
    """Delete all checkpoints of a folder but the latest ``n``."""
    for path in find_checkpoints(folder)[:-n]:
        if path.is_dir():
            # First by another name: half a checkpoint must not look like a whole one.
            hidden = path.rename(path.with_name(f".{path.name}.old"))
            shutil.rmtree(hidden, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """The sha256 of the text and of all tensors: names, dtypes, shapes and bytes."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
