"""Simulated events are possible, never undo one another and keep to the level."""

from itertools import pairwise
from random import Random

import pytest

from llm_course.data.tiny_world.simulation import LEVELS, check_level, events, start


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("split", ["train", "held_out"])
def test_events_replay_and_do_not_undo(level, split):
    for seed in range(100):
        rng = Random(seed)
        beginning, places = start(rng, LEVELS[level], split)
        world = beginning.copy()
        chain = events(rng, world, places, LEVELS[level].n_events)
        again = beginning.copy()
        for event in chain:
            again.apply(event)  # raises if it cannot happen
        assert again == world
        acts = [event for event in chain if event.kind != "feel"]
        assert len(acts) == LEVELS[level].n_events
        for one, two in pairwise(acts):
            assert not one.thing or one.thing != two.thing, f"{one} {two}"
            assert (one.kind, one.subject) != ("go", two.subject) or two.kind != "go"


def test_casts_keep_to_the_level():
    for level in LEVELS.values():
        world, places = start(Random(1), level, "train")
        assert level.people[0] <= len(world.people) <= level.people[1]
        assert level.objects[0] <= len(world.things) <= level.objects[1]
        assert set(world.people.values()) <= set(places) and len(places) == level.n_places


def test_unknown_level():
    with pytest.raises(ValueError, match=r"level: expected one of \(1, 2, 3, 4\), got 5"):
        check_level(5)
