from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.parallel.costs import bubble_fraction
from llm_course.parallel.logical_clock import bubble_of, most_in_flight, timeline
from llm_course.parallel.schedules import SCHEDULES, gpipe, naive, one_f_one_b

COUNTS = {"p": st.integers(1, 6), "m": st.integers(1, 9)}


def run(schedule, p, m, **lengths):
    return timeline([schedule(stage, p, m) for stage in range(p)], **lengths)


@settings(deadline=None)
@given(**COUNTS, backward=st.sampled_from([1.0, 2.0, 0.5]))
def test_the_bubble_is_the_closed_form(p, m, backward):
    for schedule in (gpipe, one_f_one_b):
        slots = run(schedule, p, m, backward=backward)
        assert bubble_of(slots) == pytest.approx(bubble_fraction(p, m), abs=1e-12)
    assert bubble_of(run(naive, p, m, backward=backward)) == pytest.approx((p - 1) / p)


@settings(deadline=None)
@given(**COUNTS, name=st.sampled_from(sorted(SCHEDULES)))
def test_nothing_begins_before_what_it_needs_and_no_stage_does_two_things(p, m, name):
    slots = run(SCHEDULES[name], p, m, backward=2.0)
    end = {(slot.stage, slot.kind, slot.microbatch): slot.end for slot in slots}
    for slot in slots:
        s, i = slot.stage, slot.microbatch
        if slot.kind == "F":
            needed = (s - 1, "F", i) if s > 0 else None
        else:
            needed = (s + 1, "B", i) if s < p - 1 else (s, "F", i)
        assert needed is None or end[needed] <= slot.start
    for stage in range(p):
        own = sorted((slot.start, slot.end) for slot in slots if slot.stage == stage)
        assert len(own) == 2 * m
        assert all(a[1] <= b[0] for a, b in pairwise(own))


@given(**COUNTS)
def test_what_waits_in_memory(p, m):
    for stage in range(p):
        assert most_in_flight(naive(stage, p, m)) == 1
        assert most_in_flight(gpipe(stage, p, m)) == m
        assert most_in_flight(one_f_one_b(stage, p, m)) == min(m, p - stage)


def test_a_backward_pass_that_takes_twice_as_long():
    slots = run(gpipe, 2, 1, forward=1.0, backward=2.0)
    assert [(s.stage, s.kind, s.start, s.end) for s in slots] == [
        (0, "F", 0.0, 1.0), (1, "F", 1.0, 2.0), (1, "B", 2.0, 4.0), (0, "B", 4.0, 6.0),
    ]  # fmt: skip


def test_stages_that_wait_for_each_other_are_found():
    with pytest.raises(ValueError, match="stage 0 for B0, stage 1 for F0"):
        timeline([[("B", 0), ("F", 0)], [("F", 0), ("B", 0)]])


def test_no_slot_has_no_bubble():
    with pytest.raises(ValueError, match="slots: expected at least one"):
        bubble_of([])
