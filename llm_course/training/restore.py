"""From a checkpoint to the state of a run, whoever wrote it: one process or several.

A checkpoint names whole tensors. What is filled are the tensors of this process, which may be parts
of them (DTensors), or a few of them (a stage of a pipeline).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from llm_course.training.checkpoint import (
    SHARDED,
    MismatchedCheckpoint,
    check_same_run,
    read_checkpoint,
)
from llm_course.training.sharded_checkpoint import read_manifest, read_sharded
from llm_course.training.state import (
    TrainingState,
    adopt_restored,
    restore_state,
    restore_targets,
)


def load_checkpoint(
    path: Path, state: TrainingState, expected: Mapping[str, Any], partial: bool = False
) -> dict[str, Any]:
    """Read a checkpoint into a state, in place; every process calls it.

    Args:
        path: a file of one process or a folder of several, by its suffix.
        state: of this run, not yet begun.
        expected: the facts that must be the same.
        partial: whether other processes have some of the model's tensors.

    Returns:
        the facts that the checkpoint was given.

    Raises:
        CorruptCheckpoint: the checkpoint is damaged.
        MismatchedCheckpoint: a fact is not as expected, or the tensors are not the model's.
    """
    if path.suffix != SHARDED:
        tensors, facts = read_checkpoint(path)
    else:
        manifest = read_manifest(path)
        facts = manifest["facts"]
        tensors = {
            name: torch.empty(shape, dtype=getattr(torch, dtype), device="meta")
            for name, (dtype, shape) in manifest["tensors"].items()
        }
    check_same_run(path, expected, {name: facts.get(name) for name in expected})
    values = facts.pop("state")
    try:
        if path.suffix != SHARDED:
            restore_state(state, tensors, values, partial)
            return facts
        targets = restore_targets(state, tensors, partial)
    except ValueError as error:
        raise MismatchedCheckpoint(f"{path}: {error} Fix: name another --out") from error
    read_sharded(path, targets)
    adopt_restored(state, targets, values)
    return facts
