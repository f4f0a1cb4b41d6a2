"""Pace: from its start to everything, never back, and a draw that forgets nothing."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.curriculum.pacing import competence, n_released, paced_draw


@settings(deadline=None)
@given(st.integers(1, 500), st.floats(0.01, 1), st.floats(0.5, 4))
def test_it_grows_from_the_start_to_everything(n_steps, start, power):
    shares = [competence(step, n_steps, start, power) for step in range(n_steps + 3)]
    assert shares[0] == pytest.approx(start)
    assert shares[-3:] == [1.0] * 3
    assert all(a <= b + 1e-12 for a, b in pairwise(shares))


def test_the_square_root_pace_is_the_paper_s():
    # Equation 7: min(1, sqrt(t (1 - c0²) / T + c0²)).
    for step in range(10):
        wanted = min(1, np.sqrt(step * (1 - 0.1**2) / 10 + 0.1**2))
        assert competence(step, 10, start=0.1) == pytest.approx(wanted)


def test_new_documents_come_more_slowly_with_the_root():
    steps = np.diff([competence(step, 10, 0.1, 2.0) for step in range(11)])
    assert (np.diff(steps) < 0).all()
    steps = np.diff([competence(step, 10, 0.1, 1.0) for step in range(11)])
    assert steps == pytest.approx(0.09)


@settings(deadline=None)
@given(st.floats(0.001, 1), st.integers(1, 1000))
def test_at_least_one_is_released_and_never_more_than_there_are(share, n):
    assert 1 <= n_released(share, n) <= n
    assert n_released(share, n) >= share * n - 1e-6


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 9))
def test_only_what_is_released_is_drawn(step, seed):
    order = np.arange(50)[::-1]
    found = paced_draw(order, step, n_steps=100, seed=seed)
    released = order[: n_released(competence(step, 100), 50)]
    assert found in released
    assert found == paced_draw(order, step, n_steps=100, seed=seed)


def test_all_of_what_is_released_is_drawn_alike():
    order = np.arange(10)
    draws = [paced_draw(order, step, n_steps=1, seed=0) for step in range(1, 10_001)]
    counts = np.bincount(draws, minlength=10)
    # 99.99 % point of chi-square with 9 degrees of freedom.
    assert ((counts - 1000) ** 2 / 1000).sum() < 33.7


@pytest.mark.parametrize(
    "arguments", [(-1, 5), (0, 0), (0, 5, 0.0), (0, 5, 1.1), (0, 5, 0.1, 0.0), (0, 5, 0.1, np.nan)]
)
def test_numbers_out_of_range(arguments):
    with pytest.raises(ValueError, match="expected"):
        competence(*arguments)


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="order: expected at least one document, got none"):
        paced_draw(np.array([], dtype=int), 0, 5, seed=0)
