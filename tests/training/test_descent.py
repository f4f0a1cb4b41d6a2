"""Gradient descent against paths that are known, and against counting."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from llm_course.training.descent import gradient_descent, train_table


@given(start=st.floats(-5, 5), curve=st.floats(0.1, 2), rate=st.floats(0.01, 0.4))
def test_of_a_parabola_every_step_shrinks_by_the_same_factor(start, curve, rate):
    begin = torch.tensor([start], dtype=torch.float64)
    weight, losses = gradient_descent(lambda w: curve * w.square().sum(), begin, rate, 7)
    factor = 1 - 2 * curve * rate
    assert weight.item() == pytest.approx(start * factor**7, abs=1e-12)
    expected = [curve * (start * factor**step) ** 2 for step in range(7)]
    assert losses == pytest.approx(expected, abs=1e-12)
    assert begin.item() == start and not begin.requires_grad and not weight.requires_grad


def test_the_same_path_as_torchs_sgd():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(5, (40,), generator=generator)
    targets = torch.randint(5, (40,), generator=generator)
    begin = torch.randn(5, 5, generator=generator, dtype=torch.float64)

    ours, losses = train_table(begin, inputs, targets, 0.7, 20)
    theirs = begin.clone().requires_grad_()
    optimizer = torch.optim.SGD([theirs], lr=0.7)
    for step in range(20):
        optimizer.zero_grad()
        now = functional.cross_entropy(theirs[inputs], targets)
        assert losses[step] == pytest.approx(now.item(), abs=1e-12)
        now.backward()
        optimizer.step()
    torch.testing.assert_close(ours, theirs.detach(), atol=1e-12, rtol=0)


def test_a_table_of_logits_arrives_at_the_shares_that_are_counted():
    pairs = torch.tensor([[0, 1], [0, 1], [0, 0], [1, 0], [1, 1]])
    inputs, targets = pairs.unbind(dim=1)
    table, _ = train_table(torch.zeros(2, 2), inputs, targets, 2.0, 500)
    shares = torch.tensor([[1 / 3, 2 / 3], [1 / 2, 1 / 2]])
    torch.testing.assert_close(table.softmax(dim=-1), shares, atol=1e-4, rtol=0)


def test_bad_numbers_are_refused():
    for rate in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="learning_rate: expected a positive number"):
            gradient_descent(lambda w: w**2, torch.tensor(1.0), rate, 1)
    with pytest.raises(ValueError, match="n_steps: expected 0 or more, got -1"):
        gradient_descent(lambda w: w**2, torch.tensor(1.0), 0.1, -1)
