"""Sizes of an engine that make no sense are refused."""

import pytest

from llm_course.decoding.engine_parts import EngineConfig


@pytest.mark.parametrize("field", ["n_blocks", "block_size", "max_running", "max_waiting"])
@pytest.mark.parametrize("size", [0, -1, 1.5])
def test_sizes_must_be_positive_integers(field, size):
    with pytest.raises(ValueError, match=f"{field}: expected a positive integer, got {size}"):
        EngineConfig(**{field: size})
