"""The filters equal Transformers' warpers, bit for bit, on random logits; and their errors."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from llm_course.decoding.filters import (
    apply_temperature,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
)

PAIRS = {
    "temperature": (apply_temperature, TemperatureLogitsWarper, (0.1, 0.7, 1.0, 3.0)),
    "top-k": (keep_top_k, TopKLogitsWarper, (1, 2, 40, 100_000)),
    "top-p": (keep_top_p, TopPLogitsWarper, (0.001, 0.3, 0.9, 0.999, 1.0)),
    "min-p": (keep_min_p, MinPLogitsWarper, (0.0, 0.05, 0.5, 1.0)),
    "typical": (keep_typical, TypicalLogitsWarper, (0.01, 0.2, 0.9, 0.999)),
}
CASES = [
    pytest.param(ours, theirs, number, id=f"{name} {number}")
    for name, (ours, theirs, numbers) in PAIRS.items()
    for number in numbers
]
NUMBERS = st.floats(0.01, 0.99)


def random(*shape: int, seed: int = 0, spread: float = 3.0) -> torch.Tensor:
    return spread * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def kept(logits: torch.Tensor) -> torch.Tensor:
    return logits > -math.inf


@pytest.mark.parametrize(("ours", "theirs", "number"), CASES)
@pytest.mark.parametrize("n_tokens", [1, 7, 5_000])
def test_equals_the_warper(ours, theirs, number, n_tokens):
    for seed, spread in ((0, 0.1), (1, 3.0), (2, 20.0)):
        logits = random(4, n_tokens, seed=seed, spread=spread)
        assert torch.equal(ours(logits, number), theirs(number)(None, logits))


@pytest.mark.parametrize(("ours", "theirs", "number"), CASES)
def test_equals_the_warper_after_another_filter(ours, theirs, number):
    logits = keep_top_k(random(4, 300), 20)
    assert torch.equal(ours(logits, number), theirs(number)(None, logits))


@pytest.mark.parametrize(("ours", "theirs", "number"), CASES)
def test_any_leading_axes_and_the_input_is_left_alone(ours, theirs, number):
    logits = random(2, 3, 50)
    before = logits.clone()
    rows = torch.stack([ours(row, number) for row in logits.flatten(0, 1)]).reshape(2, 3, 50)
    torch.testing.assert_close(ours(logits, number), rows)
    assert torch.equal(logits, before)


@given(st.integers(0, 99), NUMBERS)
def test_the_nucleus_is_the_smallest_that_suffices(seed, p):
    logits = random(1, 60, seed=seed).double()
    probabilities = logits.softmax(-1)
    chosen = probabilities[kept(keep_top_p(logits, p))]
    assert chosen.sum() >= p - 1e-12
    assert chosen.sum() - chosen.min() < p + 1e-12, "one token less would do"


@given(st.integers(0, 99), NUMBERS)
def test_typical_keeps_the_tokens_of_ordinary_surprise(seed, p):
    logits = random(1, 60, seed=seed).double()
    log_p = logits.log_softmax(-1)
    distance = (-log_p - torch.distributions.Categorical(logits=logits).entropy()).abs()
    mask = kept(keep_typical(logits, p))
    assert log_p[mask].exp().sum() >= p - 1e-12
    assert distance[mask].max() <= distance[~mask].min()
    assert log_p[mask].exp().sum() - log_p[distance == distance[mask].max()].exp().sum() < p


@given(st.integers(0, 99), st.integers(1, 60), NUMBERS)
def test_the_likeliest_token_always_stays(seed, k, p):
    logits = random(3, 60, seed=seed)
    best = logits.argmax(-1, keepdim=True)
    for filtered in (keep_top_k(logits, k), keep_top_p(logits, p), keep_min_p(logits, p)):
        assert kept(filtered).gather(-1, best).all()


def test_ties_with_the_last_of_top_k_stay():
    assert keep_top_k(torch.tensor([1.0, 2.0, 1.0, 0.0]), 2).isfinite().tolist() == [
        True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filter_", "number", "message"),
    [
        (apply_temperature, 0.0, "temperature: expected a positive number, got 0.0"),
        (apply_temperature, -1.0, "temperature: expected a positive number, got -1.0"),
        (apply_temperature, math.nan, "temperature: expected a positive number, got nan"),
        (keep_top_k, 0, "k: expected at least 1, got 0"),
        (keep_top_p, 0.0, "p: expected a number above 0 and at most 1, got 0.0. Fix: 1 keeps"),
        (keep_top_p, 1.01, "p: expected a number above 0 and at most 1, got 1.01"),
        (keep_typical, -0.5, "p: expected a number above 0 and at most 1, got -0.5"),
        (keep_min_p, 1.5, "p: expected a number from 0 to 1, got 1.5"),
        (keep_min_p, math.nan, "p: expected a number from 0 to 1, got nan"),
    ],
)
def test_numbers_out_of_range_are_refused(filter_, number, message):
    with pytest.raises(ValueError, match=message):
        filter_(torch.zeros(3), number)
