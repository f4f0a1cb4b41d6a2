"""The end of a build: weights by rule, shards that hold the plan."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.recipes.data_build.mixing import cut, mixture_weights, normalised
from llm_course.recipes.data_build.recipe import MixtureEntry

SIZES = {"a": 900, "b": 100}


@pytest.mark.parametrize(
    "entry, wanted",
    [
        (MixtureEntry(), {"a": 0.9, "b": 0.1}),
        (MixtureEntry(weights="temperature", temperature=2.0), {"a": 0.75, "b": 0.25}),
        (MixtureEntry(weights="capped", cap=300), {"a": 0.75, "b": 0.25}),
        (MixtureEntry(weights="shares", shares={"a": 0.0, "b": 1.0}), {"a": 0.0, "b": 1.0}),
    ],
)
def test_each_rule(entry, wanted):
    assert mixture_weights(entry, SIZES) == pytest.approx(wanted)


def test_shares_add_up():
    assert sum(normalised({"a": 0.1, "b": 0.2, "c": 0.7 + 3e-7}).values()) == pytest.approx(1)


@settings(deadline=None)
@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 80))
def test_shards_hold_all_documents_in_order(lengths, size):
    shards = cut(np.array(lengths, dtype=int), size)
    assert [i for start, stop in shards for i in range(start, stop)] == list(range(len(lengths)))
    for start, stop in shards[:-1]:
        assert sum(lengths[start:stop]) >= size
    for start, stop in shards:
        assert sum(lengths[start : stop - 1]) < size
