"""Sinusoidal positions against the formula in a loop, and the property they were chosen for."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.sinusoidal import sinusoidal_positions


def test_against_the_formula_in_a_loop():
    expected = torch.zeros(50, 8, dtype=torch.float64)
    for position in range(50):
        for feature in range(8):
            angle = position / 10_000 ** (2 * (feature // 2) / 8)
            expected[position, feature] = math.cos(angle) if feature % 2 else math.sin(angle)
    ours = sinusoidal_positions(torch.arange(50), 8)
    torch.testing.assert_close(ours.double(), expected, atol=1e-7, rtol=0)


def test_equals_transformers_table_up_to_the_order_of_features():
    from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding

    theirs = MarianSinusoidalPositionalEmbedding(30, 12)
    table = theirs.create_weight()  # all sines, then all cosines
    ours = sinusoidal_positions(torch.arange(30), 12)
    torch.testing.assert_close(
        torch.cat([ours[:, ::2], ours[:, 1::2]], -1), table, atol=1e-6, rtol=0
    )


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_the_product_of_two_positions_depends_on_their_distance_only(position, shift):
    here = sinusoidal_positions(torch.tensor([0, position]), 16)
    there = sinusoidal_positions(torch.tensor([shift, position + shift]), 16)
    torch.testing.assert_close(here[0] @ here[1], there[0] @ there[1], atol=2e-5, rtol=0)


def test_positions_of_any_shape_on_any_device():
    positions = torch.tensor([[0, 1], [5, 9]])
    ours = sinusoidal_positions(positions, 4)
    assert torch.equal(ours[1, 0], sinusoidal_positions(torch.tensor(5), 4))
    assert sinusoidal_positions(torch.arange(3, device="meta"), 4).shape == (3, 4)


@pytest.mark.parametrize("d_model", [0, 7, -2])
def test_odd_sizes_are_refused(d_model):
    with pytest.raises(ValueError) as caught:
        sinusoidal_positions(torch.arange(3), d_model)
    assert str(caught.value) == (
        f"d_model: expected a positive even number for sinusoidal positions, got {d_model}."
    )
