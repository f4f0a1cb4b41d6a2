"""Intervals against their defining equations, and their coverage."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.classroom.lesson.intervals import (
    mean_interval,
    share_difference_interval,
    wilson_interval,
)


@given(st.integers(1, 400), st.data())
def test_the_ends_solve_the_equation_that_defines_them(n, data):
    # The interval holds every share p0 with (p - p0)² ≤ z² p0 (1 - p0) / n.
    successes = data.draw(st.integers(0, n))
    z = 1.959963984540054
    for end in wilson_interval(successes, n):
        distance = (successes / n - end) ** 2
        assert math.isclose(distance, z**2 * end * (1 - end) / n, abs_tol=1e-9)


def test_it_holds_the_true_share_about_as_often_as_it_says():
    n, share = 50, 0.3
    covered = sum(
        math.comb(n, k) * share**k * (1 - share) ** (n - k)
        for k in range(n + 1)
        if wilson_interval(k, n)[0] <= share <= wilson_interval(k, n)[1]
    )
    assert 0.93 < covered < 0.97, covered


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes, n):
    with pytest.raises(ValueError, match="expected 0 to n"):
        wilson_interval(successes, n)


# Student's quantiles at 97.5 %, as every table prints them.
@pytest.mark.parametrize(("n", "t"), [(2, 12.706), (3, 4.303), (5, 2.776), (11, 2.228)])
def test_the_mean_interval_is_students(n, t):
    values = [float(i) for i in range(n)]
    spread = math.sqrt(n * (n + 1) / 12)  # the standard deviation of 0 .. n - 1
    low, high = mean_interval(values)
    assert (low + high) / 2 == pytest.approx((n - 1) / 2)
    assert (high - low) / 2 == pytest.approx(t * spread / math.sqrt(n), rel=2e-4)


def test_the_mean_interval_holds_the_mean_as_often_as_it_says():
    rng = random.Random(0)
    ends = [mean_interval([rng.gauss(3.0, 2.0) for _ in range(4)]) for _ in range(4000)]
    covered = sum(low <= 3.0 <= high for low, high in ends) / len(ends)
    assert 0.94 < covered < 0.96  # four standard errors are 0.014


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="values: expected at least two, got 1"):
        mean_interval([1.0])


# Newcombe 1998, table II, method 10.
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_difference_of_two_shares_has_newcombes_published_interval(first, second, low, high):
    assert share_difference_interval(first, second) == pytest.approx((low, high), abs=6e-5)
    mirrored = share_difference_interval(second, first)
    assert mirrored == pytest.approx((-high, -low), abs=6e-5)


def test_the_difference_of_two_shares_refuses_impossible_counts():
    for first, second in (((0, 0), (1, 2)), ((1, 2), (3, 2))):
        with pytest.raises(ValueError, match="expected 0 to n"):
            share_difference_interval(first, second)
