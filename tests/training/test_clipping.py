"""Clipping against ``torch.nn.utils``."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from llm_course.training.clipping import clip_gradients, gradient_norm, scale_gradients


def weights(size: float = 1.0, dtype: torch.dtype = torch.float64) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    made = [nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in ((3, 4), (5,), (), (2, 1))]
    for weight in made[:-1]:  # the last one has no gradient
        drawn = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        weight.grad = (size * drawn).to(dtype)
    return made


def gradients(found: list[nn.Parameter]) -> list[Tensor]:
    return [weight.grad for weight in found if weight.grad is not None]


@pytest.mark.parametrize("size", [1e-9, 0.01, 1.0, 1e6])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-15)])
def test_equals_torch(size, dtype, tolerance):
    ours, theirs = weights(size, dtype), weights(size, dtype)
    norm = clip_gradients(ours, 0.7)
    expected = nn.utils.clip_grad_norm_(theirs, 0.7)
    torch.testing.assert_close(norm, expected, rtol=tolerance, atol=0)
    for got, true in zip(gradients(ours), gradients(theirs), strict=True):
        torch.testing.assert_close(got, true, rtol=10 * tolerance, atol=0)
    assert (gradient_norm(gradients(ours)) <= 0.7 * (1 + 1e-6)).item()


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_the_direction_stays_and_a_short_gradient_too(size, limit):
    found, before = weights(size), gradients(weights(size))
    norm = clip_gradients(found, limit).item()
    factor = min(1.0, limit / (norm + 1e-6))
    for got, old in zip(gradients(found), before, strict=True):
        torch.testing.assert_close(got, old * factor, rtol=1e-12, atol=0)


def test_without_a_limit_nothing_changes():
    found, before = weights(100.0), gradients(weights(100.0))
    norm = clip_gradients(found, None)
    assert norm == nn.utils.get_total_norm(before)
    assert all(map(torch.equal, gradients(found), before))


def test_a_part_is_clipped_by_the_norm_of_the_whole():
    part = [torch.tensor([3.0])]
    scale_gradients(part, torch.tensor(5.0), max_norm=1.0)  # the other part is [4.0]
    assert part[0].item() == pytest.approx(0.6, abs=1e-6)


def test_a_norm_that_is_not_finite_is_told():
    found = weights()
    found[0].grad[0, 0] = math.inf
    assert clip_gradients(found, 1.0).item() == math.inf
    found[0].grad[0, 0] = math.nan
    assert math.isnan(clip_gradients(found, 1.0).item())


def test_nothing_to_clip_and_a_limit_that_is_none():
    assert clip_gradients([nn.Parameter(torch.zeros(2))], 1.0).item() == 0.0
    for limit in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="max_norm: expected a positive number or None"):
            clip_gradients(weights(), limit)
