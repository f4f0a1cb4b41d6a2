"""The world: events change it as they should, and impossible ones change nothing."""

import pytest

from llm_course.data.tiny_world.state import Event, World


def _world():
    return World(
        people={"Anna": "park", "Ben": "park", "Leo": "lake"},
        things={"ball": "Anna", "cup": "park", "hat": "lake"},
    )


def test_a_hand_worked_chain():
    world = _world()
    for event in (
        Event("take", "Anna", "cup"),
        Event("give", "Anna", "ball", "Ben"),
        Event("go", "Anna", target="lake"),
        Event("drop", "Anna", "cup"),
        Event("feel", "Anna", target="proud"),
    ):
        world.apply(event)
    assert world.people == {"Anna": "lake", "Ben": "park", "Leo": "lake"}
    assert world.things == {"ball": "Ben", "cup": "lake", "hat": "lake"}
    assert world.feelings == {"Anna": "proud"}
    assert world.held_by("Ben") == ["ball"] and world.place_of("ball") == "park"


@pytest.mark.parametrize(
    "event",
    [
        Event("go", "Anna", target="park"),
        Event("take", "Anna", "hat"),
        Event("take", "Ben", "ball"),
        Event("drop", "Ben", "ball"),
        Event("give", "Ben", "ball", "Anna"),
        Event("give", "Anna", "ball", "Leo"),
        Event("give", "Anna", "ball", "Anna"),
    ],
)
def test_impossible_events_change_nothing(event):
    world = _world()
    with pytest.raises(ValueError, match="cannot happen"):
        world.apply(event)
    assert world == _world()


def test_a_copy_is_independent():
    world = _world()
    world.copy().apply(Event("go", "Anna", target="lake"))
    assert world == _world()
