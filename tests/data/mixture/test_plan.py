"""The plan: exact shares of tokens, and every document as often as every other."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.mixture.plan import plan_mixture, take
from llm_course.data.mixture.weights import proportional, temperature

LENGTHS = st.dictionaries(
    st.sampled_from(["web", "code", "books", "talk"]),
    st.lists(st.integers(1, 50), min_size=1, max_size=40).map(np.array),
    min_size=1,
)


def sizes(lengths):
    return {name: int(counts.sum()) for name, counts in lengths.items()}


@settings(deadline=None)
@given(LENGTHS, st.integers(0, 9))
def test_proportional_plans_read_every_document_once(lengths, seed):
    plan = plan_mixture(lengths, proportional(sizes(lengths)), seed=seed)
    found = sorted(zip(plan.sources.tolist(), plan.documents.tolist(), strict=True))
    assert found == [
        (i, j) for i, counts in enumerate(lengths.values()) for j in range(len(counts))
    ]


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 5000), st.floats(0.5, 20), st.integers(0, 9))
def test_shares_of_tokens_to_within_half_a_document(lengths, n_tokens, t, seed):
    weights = temperature(sizes(lengths), t)
    plan = plan_mixture(lengths, weights, n_tokens, seed)
    for number, (name, counts) in enumerate(lengths.items()):
        documents = plan.documents[plan.sources == number]
        taken = counts[documents].sum()
        assert abs(taken - weights[name] * n_tokens) <= counts.max() / 2 + 1e-3
        times = Counter(dict.fromkeys(range(len(counts)), 0)) + Counter(documents.tolist())
        spread = [times[document] for document in range(len(counts))]
        assert max(spread) - min(spread) <= 1


def test_it_is_shuffled_and_a_function_of_the_seed():
    lengths = {"a": np.full(500, 3), "b": np.full(500, 3)}
    plan, same, other = (plan_mixture(lengths, {"a": 0.5, "b": 0.5}, seed=s) for s in (1, 1, 2))
    assert np.array_equal(plan.documents, same.documents)
    assert not np.array_equal(plan.documents, other.documents)
    # In every fifth of the order about half are a: hypergeometric, standard deviation below .04.
    for part in np.split(plan.sources, 5):
        assert 0.3 < part.mean() < 0.7


def test_a_source_of_no_weight_is_not_read():
    plan = plan_mixture({"a": np.array([3]), "b": np.array([], dtype=int)}, {"a": 1.0, "b": 0.0})
    assert plan.names == ("a", "b") and plan.sources.tolist() == [0]


def test_a_quota_below_half_a_document_takes_none():
    assert len(take(np.array([10]), quota=4.9, seed=0, name="a")) == 0
    assert len(take(np.array([10]), quota=5.1, seed=0, name="a")) == 1


def test_errors():
    with pytest.raises(ValueError, match="source a: expected at least one token, got none"):
        plan_mixture({"a": np.array([], dtype=int)}, {"a": 1.0}, n_tokens=5)
    with pytest.raises(ValueError, match="weights: expected the sources"):
        plan_mixture({"a": np.array([1])}, {"b": 1.0})
    with pytest.raises(ValueError, match="n_tokens: expected at least 1, got 0"):
        plan_mixture({"a": np.array([1])}, {"a": 1.0}, n_tokens=0)
