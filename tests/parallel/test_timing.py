import pytest

from llm_course.parallel.logical_clock import bubble_of, timeline
from llm_course.parallel.schedules import SCHEDULES
from llm_course.parallel.timing import time_pieces, time_schedule


@pytest.mark.parametrize("schedule", ["naive", "gpipe", "1f1b"])
def test_stages_follow_their_schedule_and_wait_for_each_other(two_ranks, schedule):
    runs = two_ranks.run(time_schedule, schedule, 3, 0.01, 0.02, 2)
    for repeat in range(2):
        slots = [slot for rank in runs for slot in rank[repeat]]
        for stage in range(2):
            found = [(slot.kind, slot.microbatch) for slot in slots if slot.stage == stage]
            assert found == SCHEDULES[schedule](stage, 2, 3)
        times = {(slot.stage, slot.kind, slot.microbatch): slot for slot in slots}
        for i in range(3):
            assert times[0, "F", i].end <= times[1, "F", i].start
            assert times[1, "B", i].end <= times[0, "B", i].start
        assert all(s.end - s.start >= {"F": 0.01, "B": 0.02}[s.kind] for s in slots)
        # No order lets a stage work more than on a clock where messages take no time.
        ideal = timeline([SCHEDULES[schedule](stage, 2, 3) for stage in range(2)], 0.01, 0.02)
        span = max(s.end for s in slots) - min(s.start for s in slots)
        assert span >= max(s.end for s in ideal)
        assert 0 < bubble_of(slots) < 1


def test_pieces_are_timed_in_their_order(two_ranks):
    for found in two_ranks.run(time_pieces, 64, [1, 8], 3):
        assert [len(seconds) for seconds in found] == [3, 3]
        assert all(second > 0 for seconds in found for second in seconds)
