"""Sinusoidal positions against the formula, element by element, and their one property."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.sinusoidal import sinusoidal_positions


@pytest.mark.parametrize("d_model", [2, 8, 64])
def test_every_element_is_the_papers(d_model):
    positions = torch.tensor([0, 1, 2, 17, 500])
    ours = sinusoidal_positions(positions, d_model).double()
    for row, position in enumerate(positions.tolist()):
        for i in range(d_model // 2):
            angle = position / 10_000 ** (2 * i / d_model)
            assert ours[row, 2 * i].item() == pytest.approx(math.sin(angle), abs=5e-5)
            assert ours[row, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=5e-5)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_similarity_depends_on_the_distance_only(first, second, offset):
    near = sinusoidal_positions(torch.tensor([first, second]), 32)
    far = sinusoidal_positions(torch.tensor([first, second]) + offset, 32)
    assert (near[0] @ near[1]).item() == pytest.approx((far[0] @ far[1]).item(), abs=1e-3)


@pytest.mark.parametrize("d_model", [0, 3, -2])
def test_an_odd_width_is_refused(d_model):
    with pytest.raises(ValueError, match="d_model: expected a positive even number"):
        sinusoidal_positions(torch.arange(2), d_model)
