"""Wilson's interval against its defining equation, and its coverage."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.classroom.lesson.intervals import wilson_interval


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
