"""Checkpoints come back bit by bit, and what is damaged or another run's is refused by name."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from llm_course.errors import CourseError
from llm_course.training.checkpoint import (
    CorruptCheckpoint,
    MismatchedCheckpoint,
    check_same_run,
    checkpoint_path,
    find_checkpoints,
    keep_latest,
    read_checkpoint,
    write_checkpoint,
)

TENSORS = {
    "model/a": torch.tensor([[1.5, -math.inf], [math.nan, 0.1]]),
    "optimizer/a/step": torch.tensor(3.0),
    "half": torch.tensor([0.1], dtype=torch.bfloat16),
    "random/cpu": torch.arange(5, dtype=torch.uint8),
    "empty": torch.zeros(0, 2),
}
FACTS = {"step": 3, "config": {"rate": 0.1, "betas": [0.9, 0.95]}, "nothing": None}


@pytest.fixture
def path(tmp_path):
    write_checkpoint(tmp_path / "a.safetensors", TENSORS, FACTS)
    return tmp_path / "a.safetensors"


def test_it_comes_back_bit_by_bit(path):
    tensors, facts = read_checkpoint(path)
    assert facts == FACTS
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype and tensors[name].shape == tensor.shape
        assert (
            tensors[name].numpy(force=True).tobytes() == tensor.numpy(force=True).tobytes()
            if (tensor.dtype != torch.bfloat16)
            else torch.equal(tensors[name], tensor)
        )


def test_others_can_read_it(path):
    assert torch.equal(load_file(path)["half"], TENSORS["half"])


def test_one_storage_under_two_names(tmp_path):
    shared = torch.arange(4.0)
    write_checkpoint(tmp_path / "b", {"a": shared, "b": shared.view(2, 2)}, {})
    assert read_checkpoint(tmp_path / "b")[0]["b"].tolist() == [[0.0, 1.0], [2.0, 3.0]]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_byte_that_is_changed_is_noticed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "a.safetensors"
    write_checkpoint(path, TENSORS, FACTS)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    try:
        tensors, facts = read_checkpoint(path)
    except CorruptCheckpoint as error:
        assert str(error).startswith(f"{path}: expected")
    else:  # a change between things, such as the padding of the header, may change nothing
        assert facts == FACTS and tensors.keys() == TENSORS.keys()
        for name, tensor in TENSORS.items():
            torch.testing.assert_close(tensors[name], tensor, rtol=0, atol=0, equal_nan=True)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 0.999))
def test_a_truncated_file_is_refused(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("cut") / "a.safetensors"
    write_checkpoint(path, TENSORS, FACTS)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CorruptCheckpoint, match="expected a whole safetensors file"):
        read_checkpoint(path)


def test_a_flipped_bit_in_a_weight_is_named(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(
        CorruptCheckpoint, match=r"a.safetensors: expected content with sha256 .*da"
    ):
        read_checkpoint(path)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(CorruptCheckpoint, match="absent"):
        read_checkpoint(tmp_path / "absent")
    save_file({"x": torch.zeros(1)}, tmp_path / "weights")
    with pytest.raises(CorruptCheckpoint, match="expected 'llm-course checkpoint 1', got None"):
        read_checkpoint(tmp_path / "weights")
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(CorruptCheckpoint, match="expected a whole safetensors file"):
        read_checkpoint(tmp_path / "text")
    assert issubclass(CorruptCheckpoint, CourseError)


def test_a_run_that_dies_while_it_writes_leaves_the_one_before(path, monkeypatch):
    before = path.read_bytes()

    def dies(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("llm_course.pretrained.tensor_files.save_file", dies)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(path, {"x": torch.zeros(1)}, {})
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"model": {"d": 4}, "data": "b"}, r"x: data: expected 'a', got 'b': the checkpoint is "),
        ({"model": {"d": 8}, "data": "a"}, r"x: model.d: expected 4, got 8"),
        ({"model": {}, "data": "a"}, r"x: model.d: expected 4, got 'nothing'"),
        ({"model": {"d": 4, "e": 1}, "data": "a"}, r"x: model.e: expected 'nothing', got 1"),
    ],
)
def test_another_run_is_refused_by_the_name_of_what_differs(tmp_path, found, message):
    expected = {"model": {"d": 4}, "data": "a"}
    with pytest.raises(MismatchedCheckpoint, match=message):
        check_same_run(tmp_path.__class__("x"), expected, found)
    check_same_run(tmp_path, expected, expected)


def test_tuples_are_the_lists_that_json_makes_of_them(tmp_path):
    found = json.loads(json.dumps({"betas": (0.9, 0.95)}))
    check_same_run(tmp_path, {"betas": (0.9, 0.95)}, found)
    with pytest.raises(MismatchedCheckpoint, match=r"betas: expected \[0.9, 0.99\]"):
        check_same_run(tmp_path, {"betas": (0.9, 0.99)}, found)


def test_the_latest_are_kept(tmp_path):
    for step in (3, 12, 100):
        write_checkpoint(checkpoint_path(tmp_path, step), {"x": torch.zeros(1)}, {})
    (tmp_path / "step-mine").touch()
    (tmp_path / ".step-00000200.safetensors.1.tmp").touch()
    keep_latest(tmp_path, 2)
    names = [path.name for path in find_checkpoints(tmp_path)]
    assert names == ["step-00000012.safetensors", "step-00000100.safetensors"]
    assert (tmp_path / "step-mine").exists()
