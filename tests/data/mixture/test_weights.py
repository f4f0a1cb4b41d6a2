"""Mixing weights against their formulas, their limits, and what is no mixture."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.mixture.weights import capped, check_weights, proportional, temperature

SIZES = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3), st.integers(1, 10**12), min_size=1, max_size=6
)


@settings(deadline=None)
@given(SIZES, st.floats(0.05, 100))
def test_temperature_is_the_formula(sizes, t):
    found = temperature(sizes, t)
    largest = max(sizes.values())
    powers = {name: (size / largest) ** (1 / t) for name, size in sizes.items()}
    for name in sizes:
        wanted = powers[name] / sum(powers.values())
        assert found[name] == pytest.approx(wanted, rel=1e-9, abs=1e-300)
    check_weights(found)


@settings(deadline=None)
@given(SIZES)
def test_the_limits_of_temperature(sizes):
    assert temperature(sizes, 1) == pytest.approx(proportional(sizes), rel=1e-12)
    equal = dict.fromkeys(sizes, 1 / len(sizes))
    assert temperature(sizes, math.inf) == pytest.approx(equal)


@settings(deadline=None)
@given(SIZES, st.integers(1, 10**12))
def test_capped_is_the_formula_and_never_raises_the_largest(sizes, cap):
    found = capped(sizes, cap)
    total = sum(min(size, cap) for size in sizes.values())
    assert found == pytest.approx({name: min(size, cap) / total for name, size in sizes.items()})
    if cap >= max(sizes.values()):
        assert found == proportional(sizes)
    largest = max(sizes, key=sizes.get)
    assert found[largest] <= proportional(sizes)[largest] * (1 + 1e-12)


def test_the_exponents_of_multilingual_models():
    found = temperature({"en": 1000, "sw": 1}, temperature=1 / 0.3)
    assert found["en"] / found["sw"] == pytest.approx(1000**0.3)


@pytest.mark.parametrize("sizes", [{}, {"a": 0}, {"a": -1, "b": 2}, {"a": math.nan}])
@pytest.mark.parametrize(
    "make", [proportional, lambda s: temperature(s, 2), lambda s: capped(s, 5)]
)
def test_sizes_that_make_no_weights(make, sizes):
    with pytest.raises(ValueError, match="sizes: expected"):
        make(sizes)


@pytest.mark.parametrize("number", [0, -1, math.nan])
def test_a_temperature_or_cap_that_is_none(number):
    with pytest.raises(ValueError, match="temperature: expected a positive number"):
        temperature({"a": 1}, number)
    with pytest.raises(ValueError, match="cap: expected a positive number"):
        capped({"a": 1}, number)


@pytest.mark.parametrize("weights", [{}, {"a": 0.5}, {"a": 1.5, "b": -0.5}, {"a": math.nan}])
def test_weights_that_are_no_shares(weights):
    with pytest.raises(ValueError, match="weights: expected"):
        check_weights(weights)
