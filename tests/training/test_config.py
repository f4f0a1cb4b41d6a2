"""What a training configuration refuses."""

import dataclasses

import pytest

from llm_course.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("n_steps", 0, "n_steps: expected an integer from 1, got 0."),
        ("n_steps", 2.0, "n_steps: expected an integer from 1, got 2.0."),
        ("warmup_steps", 10, "warmup_steps: expected fewer than n_steps=10, got 10."),
        ("warmup_steps", -1, "warmup_steps: expected an integer from 0, got -1."),
        ("accumulation", 0, "accumulation: expected an integer from 1, got 0."),
        ("evaluate_every", -1, "evaluate_every: expected an integer from 0, got -1."),
        ("learning_rate", 0.0, "learning_rate: expected a positive number, got 0.0."),
        ("minimum_learning_rate", 2.0, "minimum_learning_rate: expected 0 to learning_rate, got 2"),
        ("weight_decay", -0.1, "weight_decay: expected 0 or more, got -0.1."),
        ("weight_decay", float("nan"), "weight_decay: expected 0 or more, got nan."),
        ("betas", (0.9, 1.0), "betas: expected two numbers from 0 to below 1, got (0.9, 1.0)."),
        ("betas", (0.9,), "betas: expected two numbers from 0 to below 1, got (0.9,)."),
        ("eps", 0.0, "eps: expected a positive number, got 0.0."),
        ("schedule", "linear", "schedule: expected one of ('cosine', 'wsd'), got 'linear'."),
        ("precision", "fp8", "precision: expected one of ('fp32', 'bf16', 'fp16'), got 'fp8'."),
        ("decay_steps", 3, "decay_steps: expected at most 0 for the schedule cosine, got 3."),
        ("max_grad_norm", 0.0, "max_grad_norm: expected a positive number or None, got 0.0."),
    ],
)
def test_a_number_out_of_range(field, value, message):
    with pytest.raises(ValueError) as caught:
        TrainingConfig(**{"n_steps": 10, "learning_rate": 1.0, field: value})
    assert str(caught.value).startswith(message)


def test_it_is_frozen_and_can_be_changed_by_copy():
    config = TrainingConfig(n_steps=10, learning_rate=0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.n_steps = 11
    assert config.minimum_learning_rate == 0.05
    assert dataclasses.replace(config, max_grad_norm=None).max_grad_norm is None


def test_the_fall_of_wsd_fits_between_rise_and_end():
    def fall(**changes):
        return TrainingConfig(**{"learning_rate": 1.0, "schedule": "wsd"} | changes).decay_steps

    assert fall(n_steps=50) == 5, "a tenth if it is not given"
    assert fall(n_steps=3) == 1
    assert fall(n_steps=10, warmup_steps=4, decay_steps=6) == 6
    with pytest.raises(ValueError, match="decay_steps: expected at most 6 for the schedule wsd"):
        fall(n_steps=10, warmup_steps=4, decay_steps=7)
