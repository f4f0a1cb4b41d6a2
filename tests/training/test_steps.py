"""Whole steps of training against autograd, PyTorch's clipping and PyTorch's scaler."""

import math

import pytest
import torch
from torch import nn

from llm_course.shapes import ShapeError
from llm_course.training.steps import accumulate_and_clip, backward_from_checkpoints, scaler_step


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("max_norm", [0.01, 0.3, 1e6])
def test_parts_and_clipping_equal_the_whole_batch_and_torch(max_norm):
    model = nn.Linear(5, 3, dtype=torch.float64)
    rows = torch.randn(9, 5, generator=rng(0), dtype=torch.float64)
    sizes = [1, 5, 3]
    parts = []
    for part in rows.split(sizes):
        loss = model(part).square().sum(dim=1).mean()
        parts.append(torch.autograd.grad(loss, list(model.parameters())))
    model(rows).square().sum(dim=1).mean().backward()
    expected = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    gradients, norm = accumulate_and_clip(parts, sizes, max_norm)
    assert abs(norm - expected.item()) < 1e-12
    for gradient, weight in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(gradient, weight.grad, rtol=0, atol=1e-12)


def test_a_part_without_targets_does_not_count():
    nothing, something = [torch.tensor([math.nan])], [torch.tensor([3.0])]
    gradients, norm = accumulate_and_clip([nothing, something], [0, 2], max_norm=10.0)
    assert gradients[0].tolist() == [3.0] and norm == 3.0
    with pytest.raises(ValueError, match=r"n_targets: expected one that counts, got \[0\]"):
        accumulate_and_clip([nothing], [0], max_norm=1.0)


def test_the_scaler_goes_the_way_of_torch():
    torchs = torch.amp.GradScaler("cpu", init_scale=16.0, growth_interval=3)
    scale, good = 16.0, 0
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    for step, factor in enumerate([1.0, 1.0, math.inf, 1.0, 1.0, 1.0, math.nan, 1.0]):
        weight.data.fill_(1.0)
        optimizer.zero_grad()
        torchs.scale((weight * torch.tensor([2.0, step])).sum() * factor).backward()
        gradients, scale, good = scaler_step([weight.grad], scale, good, growth_interval=3)
        torchs.step(optimizer)
        torchs.update()
        moved = 1.0 - weight.detach()  # what torch's step used
        assert (gradients is None) == (not math.isfinite(factor))
        if gradients is not None:
            assert torch.equal(gradients[0], moved)
        assert scale == torchs.get_scale(), step


def test_gradients_of_16_bits_are_unscaled_in_32():
    tiny = torch.tensor([2.0**-20], dtype=torch.float16)  # 2^-36 is 0 in fp16
    gradients, *_ = scaler_step([tiny], scale=2.0**16, good_steps=0)
    assert gradients[0].dtype == torch.float32 and gradients[0].item() == 2.0**-36
    assert tiny.item() == 2.0**-20


@pytest.mark.parametrize("n_kept", [1, 2, 3, 6])
def test_checkpoints_give_the_gradients_of_the_whole_chain(n_kept):
    x = torch.randn(4, 5, generator=rng(1), dtype=torch.float64)
    weights = [
        torch.randn(5, 5, generator=rng(10 + i), dtype=torch.float64).requires_grad_()
        for i in range(6)
    ]
    slope = torch.randn(4, 5, generator=rng(2), dtype=torch.float64)
    inputs = [x]
    for weight in weights:
        inputs.append(torch.tanh(inputs[-1] @ weight))
    expected = torch.autograd.grad(inputs[-1], weights, slope)
    kept = [inputs[i].detach() for i in range(0, 6, 6 // n_kept)]
    found = backward_from_checkpoints(kept, [w.detach() for w in weights], slope)
    for got, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=0, atol=1e-12)


def test_segments_that_do_not_fit_are_refused():
    x, weight = torch.ones(1, 1), torch.ones(1, 1)
    with pytest.raises(ShapeError, match="kept: expected a number that divides the 3 layers"):
        backward_from_checkpoints([x, x], [weight] * 3, x)
    with pytest.raises(ShapeError, match="got 0"):
        backward_from_checkpoints([], [weight], x)
