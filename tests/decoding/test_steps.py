"""Whole sampling steps against Transformers' warpers and torch's own search."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper

from llm_course.decoding.steps import draw_min_p, temperature_top_k
from llm_course.shapes import ShapeError


def random_logits(seed: int) -> torch.Tensor:
    return 3 * torch.randn(4, 23, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("temperature", "k"), [(1.0, 1), (0.4, 5), (2.5, 22), (0.9, 50)])
def test_temperature_top_k_equals_the_warpers(temperature, k):
    logits = random_logits(k)
    warped = TopKLogitsWarper(k)(None, TemperatureLogitsWarper(temperature)(None, logits))
    got = temperature_top_k(logits, temperature, k)
    torch.testing.assert_close(got, warped.softmax(-1), rtol=0, atol=1e-6)


@given(st.integers(0, 99), st.sampled_from([0.4, 1.0, 2.5]), st.sampled_from([0.01, 0.1, 0.7]))
def test_min_p_draws_where_the_warpers_distribution_has_the_number(seed, temperature, p):
    logits = random_logits(seed).double()
    uniform = torch.rand(4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    warped = MinPLogitsWarper(p)(None, TemperatureLogitsWarper(temperature)(None, logits))
    for row, u, token in zip(
        warped.softmax(-1).tolist(),
        uniform.tolist(),
        draw_min_p(logits, temperature, p, uniform).tolist(),
        strict=True,
    ):
        assert sum(row[:token]) - 1e-12 <= u <= sum(row[: token + 1]) + 1e-12
        assert row[token] > 0


def test_bad_input_is_refused():
    logits = random_logits(0)
    with pytest.raises(ValueError, match="temperature"):
        temperature_top_k(logits, 0.0, 3)
    with pytest.raises(ValueError, match="k: expected"):
        temperature_top_k(logits, 1.0, 0)
    with pytest.raises(ValueError, match="p: expected"):
        draw_min_p(logits, 1.0, 1.5, torch.zeros(4))
    with pytest.raises(ShapeError):
        draw_min_p(logits, 1.0, 0.5, torch.zeros(3))
