"""Token files: what is written comes back, in the narrowest type, and damage is named."""

import json

import numpy as np
import pytest

from llm_course.data.packing.token_files import (
    INDEX,
    id_dtype,
    read_index,
    write_index,
    write_shard,
)
from llm_course.errors import CourseError


def test_the_bytes_are_those_of_the_ids(tmp_path):
    entry = write_shard(tmp_path, "s", [[1, 2], [], [300]], vocab_size=1000)
    assert (tmp_path / "s.tokens").read_bytes() == bytes([1, 0, 2, 0, 44, 1])
    assert (tmp_path / "s.lengths").read_bytes() == bytes([2, 0, 0, 0, 1, 0, 0, 0])
    assert (entry["n_documents"], entry["n_tokens"]) == (2, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.lengths", "s.tokens"]


@pytest.mark.parametrize("vocab_size, name", [(2**16, "uint16"), (2**16 + 1, "uint32")])
def test_the_largest_id_fits(tmp_path, vocab_size, name):
    write_shard(tmp_path, "s", [[vocab_size - 1]], vocab_size)
    assert np.fromfile(tmp_path / "s.tokens", id_dtype(vocab_size)).tolist() == [vocab_size - 1]
    assert id_dtype(vocab_size).name == name


def test_an_empty_shard(tmp_path):
    assert write_shard(tmp_path, "s", [], 10)["n_tokens"] == 0


@pytest.mark.parametrize("document", [[10], [-1], [1.5], np.array([70_000])])
def test_an_id_that_the_vocabulary_lacks(tmp_path, document):
    with pytest.raises(ValueError, match="ids: expected integers from 0 to vocab_size - 1 = 9"):
        write_shard(tmp_path, "s", [[1], document], 10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("vocab_size", [0, 2**32 + 1])
def test_a_vocabulary_that_no_type_holds(vocab_size):
    with pytest.raises(ValueError, match="vocab_size: expected 1 to"):
        id_dtype(vocab_size)


def test_the_index_keeps_further_facts(tmp_path):
    write_index(tmp_path, [{"name": "s", "n_tokens": 4}], 10, tokenizer="bytes")
    found = read_index(tmp_path)
    assert (found["n_tokens"], found["tokenizer"], found["dtype"]) == (4, "bytes", "uint16")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", json.dumps({"format": "other 1"})])
def test_a_damaged_index(tmp_path, content):
    (tmp_path / INDEX).write_text(content)
    with pytest.raises(CourseError, match="Fix: build it again"):
        read_index(tmp_path)


def test_no_index(tmp_path):
    with pytest.raises(CourseError, match=r"expected a folder with index\.json, found none"):
        read_index(tmp_path)
