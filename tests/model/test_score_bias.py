"""Distances between positions, and which biases are refused."""

import pytest
import torch

from llm_course.model.score_bias import check_bias, distances
from llm_course.shapes import ShapeError


def test_distances_against_a_loop():
    query, key = torch.tensor([[0, 4], [7, 2]]), torch.tensor([[1, 2, 3], [9, 0, 2]])
    expected = [
        [[int(key[row, k] - query[row, q]) for k in range(3)] for q in range(2)] for row in range(2)
    ]
    assert distances(query, key).tolist() == expected


def test_shared_positions_make_one_table_for_all_sequences():
    assert distances(torch.arange(4), torch.arange(6)).shape == (1, 4, 6)
    assert distances(torch.arange(4), torch.arange(6).expand(3, 6)).shape == (3, 4, 6)


def test_positions_of_other_sequences_are_refused():
    with pytest.raises(ShapeError, match="key_positions: expected b=2, got 3"):
        distances(torch.zeros(2, 4), torch.zeros(3, 4))


@pytest.mark.parametrize("shape", [(2, 4, 3, 5), (1, 4, 3, 5), (1, 4, 1, 5), (1, 1, 1, 1)])
def test_biases_that_broadcast_are_taken(shape):
    check_bias(torch.zeros(shape), b=2, h=4, q=3, k=5)


@pytest.mark.parametrize("shape", [(3, 5), (4, 3, 5), (2, 4, 5, 3), (3, 4, 3, 5), (2, 2, 3, 5)])
def test_biases_that_would_be_misread_are_refused(shape):
    with pytest.raises(ShapeError) as caught:
        check_bias(torch.zeros(shape), b=2, h=4, q=3, k=5)
    assert str(caught.value) == (
        f"bias: expected axes b h q k that broadcast to (2, 4, 3, 5), got shape {shape}. "
        'Fix: for one bias a head, rearrange(bias, "h q k -> 1 h q k").'
    )


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64])
def test_a_mask_is_no_bias(dtype):
    with pytest.raises(TypeError) as caught:
        check_bias(torch.ones(1, 1, 3, 3, dtype=dtype), b=1, h=1, q=3, k=3)
    assert str(caught.value) == (
        f"bias: expected floats to add to the scores, got {dtype}. Fix: pass it as mask."
    )
