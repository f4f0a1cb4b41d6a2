"""The closed forms by hand and as published; ``test_gradients.py`` has them counted."""

import pytest

from llm_course.parallel.costs import (
    GIGABYTE,
    all_reduce_bytes,
    bubble_fraction,
    gather_bytes,
    tensor_parallel_bytes,
    zero_bytes,
    zero_memory,
)


@pytest.mark.parametrize(("stage", "gigabytes"), [(0, 120), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_zeros_published_memory_for_7_5_billion_parameters_on_64_gpus(stage, gigabytes):
    # Rajbhandari et al. 2020, figure 1.
    assert round(zero_memory(stage, 7.5e9, 64) / GIGABYTE, 1) == gigabytes


def test_the_formulas_by_hand():
    assert all_reduce_bytes(2, 100) == 100
    assert gather_bytes(2, 100) == 50
    assert zero_bytes(0, 4, 100) == zero_bytes(1, 4, 100) == zero_bytes(2, 4, 100) == 150
    assert zero_bytes(3, 4, 100) == 225
    assert zero_bytes(3, 4, 100, root_bytes=100) == 150
    assert tensor_parallel_bytes(4, 2, 3, 5, item_bytes=8) == 8 * 3 / 4 * 2 * 3 * 5 * 8
    assert bubble_fraction(4, 8) == pytest.approx(3 / 11)


def test_one_rank_sends_nothing_and_waits_for_nobody():
    assert all_reduce_bytes(1, 100) == zero_bytes(3, 1, 100) == 0
    assert tensor_parallel_bytes(1, 2, 3, 5) == bubble_fraction(1, 8) == 0


def test_errors():
    with pytest.raises(ValueError, match="stage: expected 0, 1, 2 or 3, got 4"):
        zero_memory(4, 1e9, 8)
    with pytest.raises(ValueError, match="stage"):
        zero_bytes(-1, 2, 8)
    with pytest.raises(ValueError, match="n_ranks: expected at least 1, got 0"):
        all_reduce_bytes(0, 8)
    with pytest.raises(ValueError, match="got 2, 0"):
        bubble_fraction(2, 0)
