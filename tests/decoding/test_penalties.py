"""The repetition penalty equals Transformers'; the other two, a loop over the tokens."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation.logits_process import RepetitionPenaltyLogitsProcessor

from llm_course.decoding.penalties import (
    penalise_frequency,
    penalise_presence,
    penalise_repetition,
    token_counts,
)
from llm_course.shapes import ShapeError

IDS = st.lists(st.integers(0, 19), min_size=1, max_size=30)


def random(*shape: int) -> torch.Tensor:
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


@given(IDS, st.sampled_from([0.5, 1.0, 1.3, 2.0]))
def test_repetition_equals_transformers(ids, penalty):
    logits = random(1, 20)
    theirs = RepetitionPenaltyLogitsProcessor(penalty)(torch.tensor([ids]), logits)
    assert torch.equal(penalise_repetition(logits, token_counts(ids, 20), penalty), theirs)


@given(IDS, st.sampled_from([-0.5, 0.0, 0.7]))
def test_frequency_and_presence_equal_a_loop(ids, penalty):
    logits, counts = random(20).double(), token_counts(ids, 20)
    for_each, once = logits.clone(), logits.clone()
    for token in ids:
        for_each[token] -= penalty
    for token in set(ids):
        once[token] -= penalty
    torch.testing.assert_close(penalise_frequency(logits, counts, penalty), for_each)
    torch.testing.assert_close(penalise_presence(logits, counts, penalty), once)


def test_rows_have_their_own_counts():
    logits = random(2, 4)
    counts = torch.stack([token_counts([], 4), token_counts([2, 2], 4)])
    changed = penalise_frequency(logits, counts, 1.0) - logits
    assert changed.round(decimals=5).tolist() == [[0, 0, 0, 0], [0, 0, -2, 0]]


@pytest.mark.parametrize("penalty", [0.0, -1.0, math.inf, math.nan])
def test_a_repetition_penalty_that_is_no_positive_number_is_refused(penalty):
    with pytest.raises(ValueError, match="penalty: expected a positive number, got .* Fix: 1"):
        penalise_repetition(torch.zeros(3), torch.zeros(3), penalty)


@pytest.mark.parametrize("rule", [penalise_repetition, penalise_frequency, penalise_presence])
def test_counts_of_another_vocabulary_are_refused(rule):
    with pytest.raises(ShapeError, match="counts: expected v=3, got 4"):
        rule(torch.zeros(3), torch.zeros(4), 2.0)
