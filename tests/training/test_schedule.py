"""The schedule against Transformers', and its shape."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import get_cosine_with_min_lr_schedule_with_warmup

from llm_course.training.schedule import warmup_cosine


@pytest.mark.parametrize(("n_steps", "warmup"), [(20, 5), (20, 0), (3, 2), (100, 1)])
def test_equals_transformers(n_steps, warmup):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    theirs = get_cosine_with_min_lr_schedule_with_warmup(optimizer, warmup, n_steps, min_lr=0.02)
    for step in range(n_steps):
        optimizer.step()
        theirs.step()  # theirs begins with a step at 0, which ours leaves out
        ours = warmup_cosine(step, peak=0.3, n_steps=n_steps, warmup_steps=warmup, minimum=0.02)
        assert ours == pytest.approx(theirs.get_last_lr()[0], abs=1e-12), f"step {step}"


@given(st.integers(1, 60), st.data())
def test_it_rises_to_the_peak_and_falls_to_the_minimum(n_steps, data):
    warmup = data.draw(st.integers(0, n_steps - 1))
    rates = [
        warmup_cosine(step, peak=2.0, n_steps=n_steps, warmup_steps=warmup, minimum=0.5)
        for step in range(n_steps)
    ]
    assert rates[:warmup] == sorted(rates[:warmup])
    assert rates[max(warmup - 1, 0) :] == sorted(rates[max(warmup - 1, 0) :], reverse=True)
    assert warmup == 0 or rates[warmup - 1] == 2.0
    assert rates[-1] == pytest.approx(0.5, abs=1e-15)
    assert all(0 < rate <= 2.0 for rate in rates)


@pytest.mark.parametrize(
    ("step", "warmup", "message"),
    [
        (-1, 2, "step: expected 0 to n_steps - 1 = 9, got -1."),
        (10, 2, "step: expected 0 to n_steps - 1 = 9, got 10."),
        (0, 10, "warmup_steps: expected 0 to n_steps - 1 = 9, got 10."),
        (0, -1, "warmup_steps: expected 0 to n_steps - 1 = 9, got -1."),
    ],
)
def test_out_of_range_is_refused(step, warmup, message):
    with pytest.raises(ValueError) as caught:
        warmup_cosine(step, peak=1.0, n_steps=10, warmup_steps=warmup)
    assert str(caught.value) == message
