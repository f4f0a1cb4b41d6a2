"""The sampler: its proportions, and that it goes on exactly where it stopped."""

import json
import math
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.mixture.sampler import MixtureSampler, draw_source, item_at

SOURCES = {"web": range(100, 150), "code": range(7), "books": range(1000, 1003)}


@st.composite
def shares(draw):
    raw = draw(st.lists(st.integers(0, 20), min_size=3, max_size=3).filter(any))
    return {name: number / sum(raw) for name, number in zip(SOURCES, raw, strict=True)}


def sampler(weights, seed=0):
    return MixtureSampler(SOURCES, weights, seed)


def drawn(stream, n):
    return [(draw.source, draw.index, draw.item) for draw in islice(stream, n)]


@settings(deadline=None, max_examples=40)
@given(shares(), st.integers(0, 10**6))
def test_the_proportions_are_those_asked_for(weights, seed):
    n = 3000
    found = [source for source, _, _ in drawn(sampler(weights, seed), n)]
    for name, weight in weights.items():
        # Hoeffding: at most 2 exp(-2 n ε²) = 2e-9 that a share is off by ε.
        assert abs(found.count(name) / n - weight) < math.sqrt(math.log(1e9) / (2 * n))
        if weight == 0:
            assert name not in found


@settings(deadline=None, max_examples=40)
@given(shares(), st.integers(0, 99), st.integers(0, 1500))
def test_it_goes_on_exactly_at_any_step(weights, seed, stop):
    whole = drawn(sampler(weights, seed), stop + 50)
    first = sampler(weights, seed)
    assert drawn(first, stop) == whole[:stop]
    state = json.loads(json.dumps(first.state()))
    again = sampler(dict.fromkeys(SOURCES, 1 / 3), seed)  # the weights come with the state
    again.restore(state)
    assert drawn(again, 50) == whole[stop:]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 30), st.integers(0, 99), st.integers(0, 5))
def test_each_epoch_has_every_item_once(n, seed, epoch):
    found = [item_at(epoch * n + place, n, seed, "s") for place in range(n)]
    assert sorted(found) == list(range(n))


def test_epochs_have_different_orders():
    orders = {tuple(item_at(epoch * 20 + i, 20, 0, "s") for i in range(20)) for epoch in range(5)}
    assert len(orders) == 5


def test_new_weights_leave_the_random_numbers_to_their_steps():
    weights = {"web": 0.5, "code": 0.25, "books": 0.25}
    plain, changed = sampler(weights), sampler(weights)
    drawn(plain, 10), drawn(changed, 10)
    changed.set_weights({"web": 0.0, "code": 0.0, "books": 1.0})
    assert {source for source, _, _ in drawn(changed, 10)} == {"books"}
    drawn(plain, 10)
    changed.set_weights(weights)
    assert [d[0] for d in drawn(changed, 200)] == [d[0] for d in drawn(plain, 200)]


def test_the_order_in_which_weights_are_named_does_not_matter():
    weights = {"web": 0.5, "code": 0.25, "books": 0.25}
    assert drawn(sampler(weights), 50) == drawn(sampler(dict(reversed(weights.items()))), 50)


def test_the_pieces_of_the_interval():
    weights = {"a": 0.25, "b": 0.0, "c": 0.75}
    found = [draw_source(weights, number) for number in (0.0, 0.2499, 0.25, 1 - 2**-53)]
    assert found == ["a", "a", "c", "c"]


@pytest.mark.parametrize(
    "key, value", [("seed", 1), ("sizes", {"web": 1}), ("step", 7), ("drawn", {"web": 0})]
)
def test_a_state_of_something_else_is_refused(key, value):
    stream = sampler({"web": 1.0, "code": 0.0, "books": 0.0})
    with pytest.raises(ValueError, match="state: expected"):
        stream.restore(stream.state() | {key: value})


def test_sources_that_do_not_fit_the_weights():
    with pytest.raises(ValueError, match=r"weights: expected the sources \['a'\], got \['b'\]"):
        MixtureSampler({"a": [1]}, {"b": 1.0}, 0)
    with pytest.raises(ValueError, match="source a: expected at least one item, got 0"):
        MixtureSampler({"a": []}, {"a": 1.0}, 0)
    with pytest.raises(ValueError, match="add up to 1"):
        MixtureSampler({"a": [1]}, {"a": 0.9}, 0)
    with pytest.raises(ValueError, match="expected at least one item"):
        item_at(0, 0, 0, "a")
