"""Checkpoints as folders: whole or not at all, and refused by name when damaged."""

import json

import pytest
import torch
from safetensors import safe_open

from llm_course.training import sharded_checkpoint
from llm_course.training.checkpoint import CorruptCheckpoint
from llm_course.training.sharded_checkpoint import (
    MANIFEST,
    read_manifest,
    read_sharded,
    write_sharded,
)

PART = "shard-00001-model-00001-of-00001.safetensors"


def tensors():
    return {
        "model/a": torch.arange(6, dtype=torch.float64).reshape(2, 3) / 7,
        "optimizer/a/step": torch.tensor(3.0),
        "random/cpu": torch.arange(5, dtype=torch.uint8),
    }


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "run" / "step-00000003.sharded"
    write_sharded(path, tensors(), {"state": {"step": 3}})
    return path


def test_what_is_read_is_what_was_written(folder):
    manifest = read_manifest(folder)
    assert manifest["facts"] == {"state": {"step": 3}}
    assert manifest["tensors"]["model/a"] == ["float64", [2, 3]]
    found = {name: torch.zeros_like(tensor) for name, tensor in tensors().items()}
    read_sharded(folder, found)
    for name, tensor in tensors().items():
        assert torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name]


def test_it_is_plain_safetensors(folder):
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, PART]
    with safe_open(folder / PART, framework="pt") as file:
        assert torch.equal(file.get_tensor("model/a"), tensors()["model/a"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / PART).write_bytes((f / PART).read_bytes()[:-1]), f"{PART}: expected con"),
        (lambda f: (f / PART).unlink(), f"{PART}: expected a file of the checkpoint, found none"),
        (lambda f: (f / MANIFEST).unlink(), f"{MANIFEST}: expected a checkpoint's manifest"),
        (lambda f: (f / MANIFEST).write_text("{"), f"{MANIFEST}: expected a checkpoint's manifest"),
        (lambda f: (f / MANIFEST).write_text("[]"), f"{MANIFEST}: expected 'llm-course sharded"),
    ],
)
def test_damage_is_named(folder, damage, message):
    damage(folder)
    with pytest.raises(CorruptCheckpoint, match=message) as refused:
        read_manifest(folder)
    assert "Fix: delete this folder" in str(refused.value)


def test_a_changed_fact_is_damage(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["facts"]["state"]["step"] = 4
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(CorruptCheckpoint, match="expected content with its own sha256"):
        read_manifest(folder)


def test_a_write_that_dies_leaves_the_one_before(folder, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sharded_checkpoint, "atomic_write", die)
        write_sharded(folder, {"model/a": torch.zeros(2, 3)}, {})
    assert read_manifest(folder)["facts"] == {"state": {"step": 3}}
    write_sharded(folder, tensors(), {"state": {"step": 5}})
    assert read_manifest(folder)["facts"] == {"state": {"step": 5}}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
