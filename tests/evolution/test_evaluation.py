"""Perplexity against PyTorch's cross-entropy, bits per byte against the trainer's."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from llm_course.evolution.evaluation import text_scores
from llm_course.training.evaluation import bits_per_byte


@given(seed=st.integers(0, 1000), n=st.integers(1, 50), n_bytes=st.integers(1, 300))
def test_against_cross_entropy(seed, n, n_bytes):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, 7, generator=generator, dtype=torch.float64)
    targets = torch.randint(7, (n,), generator=generator)
    chosen = logits.log_softmax(-1)[range(n), targets].tolist()
    loss = functional.cross_entropy(logits, targets).item()
    perplexity, bits = text_scores(chosen, n_bytes)
    assert perplexity == pytest.approx(math.exp(loss), rel=1e-12)
    assert bits == pytest.approx(bits_per_byte(loss, n, n_bytes), rel=1e-12)


def test_the_same_text_in_other_pieces_has_the_same_bits_and_another_perplexity():
    one, two = text_scores([-2.0], 4), text_scores([-1.5, -0.5], 4)
    assert one[1] == two[1] and one[0] != two[0]


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="expected at least one"):
        text_scores([], 3)
    with pytest.raises(ValueError, match="n_bytes: expected 1 or more, got 0"):
        text_scores([-1.0], 0)
    for bad in (0.5, float("nan")):
        with pytest.raises(ValueError, match="expected 0 or less"):
            text_scores([bad], 3)
