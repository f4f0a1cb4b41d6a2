import pytest

from llm_course.parallel.fsdp_run import train_with_fsdp
from llm_course.training.config import TrainingConfig
from tests.parallel.test_measured_run import CONFIG, SETTINGS, TEXTS, one_process


def test_fsdp_makes_the_losses_of_one_process(two_ranks):
    for losses in two_ranks.run(train_with_fsdp, CONFIG, SETTINGS, TEXTS, 1):
        assert losses == pytest.approx(one_process(), abs=1e-10)


def test_the_limit_and_the_rate_are_the_settings(two_ranks):
    settings = TrainingConfig(
        n_steps=3, learning_rate=0.02, warmup_steps=1, fused=False, max_grad_norm=None
    )
    unclipped = two_ranks.run(train_with_fsdp, CONFIG, settings, TEXTS, 1)[0]
    assert unclipped[:1] == pytest.approx(one_process()[:1], abs=1e-10)
    assert max(abs(a - b) for a, b in zip(unclipped, one_process(), strict=True)) > 1e-6
    assert SETTINGS.max_grad_norm == 1.0
