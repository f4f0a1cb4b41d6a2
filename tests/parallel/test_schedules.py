import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.parallel.schedules import SCHEDULES, gpipe, naive, one_f_one_b

COUNTS = {"n_stages": st.integers(1, 6), "n_microbatches": st.integers(1, 9)}


@given(**COUNTS, name=st.sampled_from(sorted(SCHEDULES)))
def test_each_micro_batch_goes_forward_once_and_then_back_once(n_stages, n_microbatches, name):
    for stage in range(n_stages):
        actions = SCHEDULES[name](stage, n_stages, n_microbatches)
        assert sorted(actions) == sorted((kind, i) for kind in "FB" for i in range(n_microbatches))
        for i in range(n_microbatches):
            assert actions.index(("F", i)) < actions.index(("B", i))


def test_1f1b_is_the_papers_figure():
    # Narayanan et al. 2021, figure 4 (top): four devices, eight micro-batches.
    words = [" ".join(f"{kind}{i}" for kind, i in one_f_one_b(stage, 4, 8)) for stage in range(4)]
    assert words == [
        "F0 F1 F2 F3 B0 F4 B1 F5 B2 F6 B3 F7 B4 B5 B6 B7",
        "F0 F1 F2 B0 F3 B1 F4 B2 F5 B3 F6 B4 F7 B5 B6 B7",
        "F0 F1 B0 F2 B1 F3 B2 F4 B3 F5 B4 F6 B5 F7 B6 B7",
        "F0 B0 F1 B1 F2 B2 F3 B3 F4 B4 F5 B5 F6 B6 F7 B7",
    ]


def test_the_other_two():
    assert naive(1, 3, 2) == [("F", 0), ("B", 0), ("F", 1), ("B", 1)]
    assert gpipe(1, 3, 2) == [("F", 0), ("F", 1), ("B", 0), ("B", 1)]


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_errors(schedule):
    with pytest.raises(ValueError, match="stage: expected 0 to n_stages - 1 = 1, got 2"):
        schedule(2, 2, 1)
    with pytest.raises(ValueError, match="n_microbatches: expected at least 1, got 0"):
        schedule(0, 2, 0)
