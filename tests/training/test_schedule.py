"""The schedule against Transformers', and its shape."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    get_cosine_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_wsd_schedule,
)

from llm_course.training.config import TrainingConfig
from llm_course.training.schedule import DECAYS, learning_rate, warmup_cosine, warmup_stable_decay


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


def theirs_by_step(make, n_steps: int, **settings) -> list[float]:
    """The rates of Transformers' schedule, from its step 1: step 0 has the rate 0 in it."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    schedule = make(optimizer, **settings)
    rates = []
    for _ in range(n_steps):
        optimizer.step()
        schedule.step()
        rates.append(schedule.get_last_lr()[0])
    return rates


def test_the_cosine_to_zero_equals_transformers():
    theirs = theirs_by_step(
        get_cosine_schedule_with_warmup, 30, num_warmup_steps=7, num_training_steps=30
    )
    ours = [warmup_cosine(step, peak=0.3, n_steps=30, warmup_steps=7) for step in range(30)]
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize(("n_steps", "warmup", "fall"), [(30, 7, 10), (30, 0, 30), (12, 4, 8)])
def test_wsd_equals_transformers(decay, n_steps, warmup, fall):
    theirs = theirs_by_step(
        get_wsd_schedule, n_steps, num_warmup_steps=warmup, num_decay_steps=fall,
        num_training_steps=n_steps, decay_type=decay, min_lr_ratio=0.0,
    )  # fmt: skip
    ours = [
        warmup_stable_decay(
            step, peak=0.3, n_steps=n_steps, decay_steps=fall, warmup_steps=warmup, decay=decay
        )
        for step in range(n_steps)
    ]
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("decay", DECAYS)
def test_the_fall_of_wsd_to_a_minimum_equals_transformers(decay):
    theirs = theirs_by_step(
        get_wsd_schedule, 30, num_warmup_steps=5, num_decay_steps=12, num_training_steps=30,
        decay_type=decay, min_lr_ratio=0.2,
    )  # fmt: skip
    for step in range(5, 30):  # before it theirs rises from the minimum, ours from 0
        ours = warmup_stable_decay(
            step, peak=0.3, n_steps=30, decay_steps=12, warmup_steps=5, minimum=0.06, decay=decay
        )
        assert ours == pytest.approx(theirs[step], abs=1e-12), f"step {step}"


@given(st.integers(2, 40), st.data())
def test_a_plateau_does_not_know_where_it_ends(n_steps, data):
    warmup = data.draw(st.integers(0, n_steps - 1))
    fall = data.draw(st.integers(1, n_steps - warmup))
    more = data.draw(st.integers(0, 20))

    def rates(n: int) -> list[float]:
        numbers = {"peak": 2.0, "warmup_steps": warmup, "decay_steps": fall, "minimum": 0.5}
        return [warmup_stable_decay(step, n_steps=n, **numbers) for step in range(n)]

    short, long = rates(n_steps), rates(n_steps + more)
    before = n_steps - fall
    assert short[:before] == long[:before]
    assert set(long[max(0, warmup - 1) : before + more]) <= {2.0}
    assert short[before:] == long[before + more :], "the fall is the same, later"
    assert short[-1] == 0.5


def test_the_configuration_chooses():
    numbers = {"n_steps": 20, "learning_rate": 0.3, "warmup_steps": 4}
    wsd = TrainingConfig(**numbers, schedule="wsd", decay_steps=6)
    assert [learning_rate(s, TrainingConfig(**numbers)) for s in range(20)] == [
        warmup_cosine(s, peak=0.3, n_steps=20, warmup_steps=4, minimum=0.03) for s in range(20)
    ]
    assert [learning_rate(s, wsd) for s in range(20)] == [
        warmup_stable_decay(s, peak=0.3, n_steps=20, warmup_steps=4, decay_steps=6, minimum=0.03)
        for s in range(20)
    ]


def test_wsd_out_of_range_is_refused():
    with pytest.raises(ValueError, match="decay_steps: expected 1 to n_steps - warmup_steps = 6"):
        warmup_stable_decay(0, peak=1.0, n_steps=10, warmup_steps=4, decay_steps=7)
    with pytest.raises(ValueError, match="decay: expected one of .* got 'square'"):
        warmup_stable_decay(0, peak=1.0, n_steps=10, decay_steps=7, decay="square")
    with pytest.raises(ValueError, match="step: expected 0 to n_steps - 1 = 9, got 10"):
        warmup_stable_decay(10, peak=1.0, n_steps=10, decay_steps=7)
