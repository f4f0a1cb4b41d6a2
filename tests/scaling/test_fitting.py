"""The objective against PyTorch's Huber loss; fits judged by what they predict."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from llm_course.scaling.chinchilla import ChinchillaLaw
from llm_course.scaling.fitting import bootstrap_laws, fit_law, law_objective

LAW = ChinchillaLaw(1.1, 60.0, 300.0, 0.4, 0.45)
N = np.repeat([6e3, 2.5e4, 8e4, 2e5, 4.4e5], 5)
D = np.tile([2.6e5, 5e5, 1e6, 2e6, 4e6], 5)
FAR = (1e7, 1e8)


def noisy(noise: float, seed: int = 0) -> np.ndarray:
    return LAW.loss(N, D) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(N)))


@pytest.mark.parametrize("delta", [1e-3, 0.1])
def test_the_objective_equals_torchs_huber_loss_of_the_logarithms(delta):
    rng = torch.Generator().manual_seed(0)
    constants = torch.tensor([4.0, 5.5, 0.2, 0.4, 0.45], dtype=torch.float64, requires_grad=True)
    n, d, losses = (torch.rand(3, 9, generator=rng, dtype=torch.float64) * 9 + 1).unbind()
    a, b, e, alpha, beta = constants
    predicted = a.exp() / n**alpha + b.exp() / d**beta + e.exp()
    expected = functional.huber_loss(predicted.log(), losses.log(), delta=delta, reduction="sum")
    got = law_objective(constants, n, d, losses, delta)
    torch.testing.assert_close(got, expected, atol=1e-12, rtol=1e-10)
    slopes = [torch.autograd.grad(x, constants, retain_graph=True)[0] for x in (got, expected)]
    torch.testing.assert_close(*slopes, atol=1e-12, rtol=1e-10)


def test_runs_that_follow_a_law_give_it_back():
    found = fit_law(N, D, LAW.loss(N, D))
    assert found == pytest.approx(LAW, rel=1e-5)


def test_noisy_runs_predict_a_larger_one():
    found = fit_law(N, D, noisy(0.003))
    assert found.loss(*FAR) == pytest.approx(LAW.loss(*FAR), rel=0.03)


def test_one_bad_run_does_not_decide():
    losses = noisy(0.001)
    losses[12] *= 1.5
    robust, square = fit_law(N, D, losses), fit_law(N, D, losses, delta=100.0)
    errors = [abs(law.loss(*FAR) / LAW.loss(*FAR) - 1) for law in (robust, square)]
    assert errors[0] < 0.02 < errors[1], errors


def test_the_bootstrap_covers_the_truth_and_repeats_with_its_seed():
    losses = noisy(0.003)
    laws = bootstrap_laws(N, D, losses, n=40, seed=0)
    low, high = np.quantile([law.loss(*FAR) for law in laws], [0.025, 0.975])
    assert low < LAW.loss(*FAR) < high
    assert laws[:2] == bootstrap_laws(N, D, losses, n=2, seed=0)
    assert laws[:2] != bootstrap_laws(N, D, losses, n=2, seed=1)


def test_bad_runs_are_refused():
    with pytest.raises(ValueError, match="runs: expected N, D and a loss .* got 5, 5, 4"):
        fit_law(N[:5], D[:5], noisy(0)[:4])
    with pytest.raises(ValueError, match="at least 5 runs"):
        fit_law(N[:4], D[:4], noisy(0)[:4])
    for bad in (0.0, -1.0, math.inf, math.nan):
        losses = noisy(0)
        losses[3] = bad
        with pytest.raises(ValueError, match="losses: expected positive, finite numbers"):
            fit_law(N, D, losses)
