"""Losses by domain and multiplicative weights, against slow loops and what they must keep."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.curriculum.adapting import (
    average_weights,
    domain_losses,
    excess_loss,
    update_weights,
)
from llm_course.shapes import ShapeError

LOSSES = st.lists(st.floats(-20, 20), min_size=3, max_size=3)
SHARES = st.lists(st.integers(1, 100), min_size=3, max_size=3)


def named(values):
    return dict(zip("abc", values, strict=True))


def shares(counts):
    return named([count / sum(counts) for count in counts])


@settings(deadline=None)
@given(SHARES, LOSSES, st.floats(0, 3), st.floats(0, 1))
def test_the_update_is_the_algorithm(counts, losses, step_size, smoothing):
    weights = shares(counts)
    found = update_weights(weights, named(losses), step_size, smoothing)
    raised = [w * math.exp(step_size * x) for w, x in zip(weights.values(), losses, strict=True)]
    for name, value in zip("abc", raised, strict=True):
        wanted = (1 - smoothing) * value / sum(raised) + smoothing / 3
        assert found[name] == pytest.approx(wanted, rel=1e-9, abs=1e-15)
    assert math.fsum(found.values()) == pytest.approx(1, abs=1e-12)


@settings(deadline=None)
@given(SHARES, LOSSES, st.floats(-50, 50))
def test_only_differences_count(counts, losses, shift):
    moved = update_weights(shares(counts), named([x + shift for x in losses]))
    assert moved == pytest.approx(update_weights(shares(counts), named(losses)), rel=1e-6)


@settings(deadline=None)
@given(SHARES, st.floats(-20, 20), st.floats(-20, 20))
def test_a_domain_that_was_not_seen_keeps_its_share(counts, first, second):
    weights = shares(counts)
    for losses in ({"a": first, "b": second}, {"a": first, "b": second, "c": math.nan}):
        found = update_weights(weights, losses, smoothing=0)
        assert found["c"] == pytest.approx(weights["c"])
        assert found["a"] / found["b"] == pytest.approx(
            weights["a"] / weights["b"] * math.exp(first - second), rel=1e-9
        )


def test_no_loss_at_all_changes_nothing():
    weights = {"a": 0.25, "b": 0.75}
    assert update_weights(weights, {}, smoothing=0) == pytest.approx(weights)


def test_smoothing_brings_back_what_was_lost():
    assert update_weights({"a": 1.0, "b": 0.0}, {"a": 5.0, "b": 1.0}, smoothing=0.1)["b"] == (
        pytest.approx(0.05)
    )


def test_a_huge_loss_does_not_overflow():
    assert update_weights({"a": 0.5, "b": 0.5}, {"a": 1e6, "b": 0.0}, smoothing=0) == (
        pytest.approx({"a": 1.0, "b": 0.0})
    )


def test_domain_losses_are_those_of_a_loop():
    generator = torch.Generator().manual_seed(0)
    losses = torch.rand(4, 9, generator=generator, dtype=torch.float64)
    domains = torch.randint(-1, 3, (4, 9), generator=generator)
    means, counts = domain_losses(losses, domains, 4)
    for domain in range(3):
        chosen = [
            losses[i, j].item() for i in range(4) for j in range(9) if domains[i, j] == domain
        ]
        assert counts[domain] == len(chosen)
        assert means[domain].item() == pytest.approx(sum(chosen) / len(chosen), rel=1e-12)
    assert counts[3] == 0 and means[3].isnan()


def test_excess_is_clipped_at_each_token_not_in_the_mean():
    excess = excess_loss(torch.tensor([4.0, 1.0]), torch.tensor([1.0, 4.0]))
    assert excess.mean().item() == 1.5  # the mean of the differences is 0


def test_the_weights_find_the_domain_that_lags():
    """Losses that fall with what a domain was given: the slowest ends with the largest share."""
    speed, weights, seen, history = {"a": 3.0, "b": 1.0, "c": 0.3}, named([1 / 3] * 3), {}, []
    for _ in range(200):
        for name in weights:
            seen[name] = seen.get(name, 0) + weights[name]
        losses = {name: math.exp(-speed[name] * seen[name] / 20) for name in weights}
        weights = update_weights(weights, losses, step_size=0.1)
        history.append(weights)
    mean = average_weights(history)
    assert mean["c"] > mean["b"] > mean["a"]


def test_errors():
    with pytest.raises(ShapeError, match=r"domains: expected shape \(2,\), got \(3,\)"):
        domain_losses(torch.zeros(2), torch.zeros(3, dtype=torch.int64), 1)
    with pytest.raises(ValueError, match="domains: expected 0 to 0, got 1"):
        domain_losses(torch.zeros(2), torch.tensor([0, 1]), 1)
    with pytest.raises(ShapeError, match="reference: expected shape"):
        excess_loss(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match=r"losses: expected domains of \['a'\], got \['b'\]"):
        update_weights({"a": 1.0}, {"b": 1.0})
    with pytest.raises(ValueError, match="losses: expected finite numbers"):
        update_weights({"a": 1.0}, {"a": math.inf})
    with pytest.raises(ValueError, match="step_size, smoothing: expected"):
        update_weights({"a": 1.0}, {"a": 1.0}, smoothing=1.5)
    with pytest.raises(ValueError, match="history: expected weights of the same domains"):
        average_weights([])
