import math

import pytest
import torch
from torch import nn

from llm_course.parallel.gradient_norm import clip, gradient_norm


def some_gradients():
    generator = torch.Generator().manual_seed(0)
    weights = [nn.Parameter(torch.zeros(n, dtype=torch.float64)) for n in (3, 5)]
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
    return weights


@pytest.mark.parametrize("limit", [0.1, 100.0])
def test_norm_and_clipping_are_pytorchs(limit):
    ours, theirs = some_gradients(), some_gradients()
    named = [(str(i), weight.grad) for i, weight in enumerate(ours)]
    norm = gradient_norm(named, lambda name: True, [], ours[0])
    clip(ours, norm, limit)
    expected = nn.utils.clip_grad_norm_(theirs, limit)
    torch.testing.assert_close(norm, expected, rtol=1e-14, atol=0)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-14, atol=0)


def test_without_a_limit_nothing_changes():
    weights = some_gradients()
    before = [weight.grad.clone() for weight in weights]
    clip(weights, torch.tensor(1e9), None)
    assert all(torch.equal(a, w.grad) for a, w in zip(before, weights, strict=True))


def test_what_another_rank_counts_is_left_out():
    named = [("mine", torch.tensor([3.0])), ("theirs", torch.tensor([100.0]))]
    assert gradient_norm(named, lambda name: name == "mine", [], torch.zeros(1)).item() == 3.0


def test_half_precision_gradients_are_summed_in_fp32():
    gradient = torch.full((1000,), 10.0, dtype=torch.float16)  # 100,000 overflows fp16
    norm = gradient_norm([("a", gradient)], lambda name: True, [], gradient)
    assert norm.dtype == torch.float32
    assert norm.item() == pytest.approx(math.sqrt(1e5))
