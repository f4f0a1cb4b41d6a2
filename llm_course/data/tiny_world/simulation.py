"""What happens in a story: a start and a chain of possible events, no words yet.

Leaves out motives: people act at random, but never undo what was just done.
"""

from dataclasses import dataclass
from random import Random

from llm_course.data.tiny_world.chance import between, coin, pick, pick_distinct
from llm_course.data.tiny_world.splits import Split, cast, partners
from llm_course.data.tiny_world.state import Event, World
from llm_course.data.tiny_world.words import (
    COLOURS,
    FEELINGS,
    FOOD_ADJECTIVES,
    FOODS,
    PLACES,
)

ALL_PLACES = tuple(PLACES)
FOOD_SET = frozenset(FOODS)


@dataclass(frozen=True)
class Level:
    """How hard a story is to follow.

    Args:
        people: fewest and most people.
        objects: fewest and most objects.
        n_places: how many places people go to.
        n_events: how many events there are, feelings apart.
    """

    people: tuple[int, int]
    objects: tuple[int, int]
    n_places: int
    n_events: int


LEVELS = {
    1: Level((2, 2), (1, 2), 2, 3),
    2: Level((2, 3), (2, 3), 3, 5),
    3: Level((3, 4), (3, 4), 4, 8),
    4: Level((4, 4), (5, 6), 5, 14),
}


def check_level(level: int) -> None:
    """Check a difficulty.

    Raises:
        ValueError: there is no such level.
    """
    if level not in LEVELS:
        raise ValueError(f"level: expected one of {tuple(LEVELS)}, got {level!r}.")


def start(rng: Random, level: Level, split: Split) -> tuple[World, tuple[str, ...]]:
    """A world before the first event, and the places that the story will use."""
    people, objects = cast(rng, between(rng, *level.people), between(rng, *level.objects), split)
    places = pick_distinct(rng, ALL_PLACES, level.n_places)
    things = {thing: pick(rng, people) if coin(rng) else pick(rng, places) for thing in objects}
    adjectives: dict[str, str] = {}
    for thing in objects:
        adjectives[thing] = _adjective(rng, thing, tuple(adjectives.values()), split)
    world = World({person: pick(rng, places) for person in people}, things, adjectives)
    return world, tuple(places)


def _adjective(rng: Random, thing: str, used: tuple[str, ...], split: Split) -> str:
    """A quality for food; for other things a colour that no other object of the story has."""
    if thing in FOOD_SET:
        return pick(rng, FOOD_ADJECTIVES)
    free = [c for c in partners(thing, COLOURS, split) if c not in used]
    # An object may have no held-out colour left: it takes one that training has, too.
    return pick(rng, free or [c for c in partners(thing, COLOURS, "train") if c not in used])


def _actor(rng: Random, people: list[str], last: Event | None) -> str:
    """Who acts next: half the time the person who acted last, so that scenes hang together."""
    return last.subject if last is not None and coin(rng) else pick(rng, people)


def _options(world: World, actor: str, last: Event | None) -> list[tuple[str, str]]:
    """The kinds of event, each with its object, that the actor can do now."""
    just_moved = last.thing if last else ""
    place = world.people[actor]
    company = any(p == place and person != actor for person, p in world.people.items())
    options = []
    for thing, where in world.things.items():
        if thing == just_moved:
            continue
        if where == actor:
            options.append(("drop", thing))
            if company:
                options += [("give", thing)] * 2  # giving makes the better story
        elif where == place:
            options.append(("take", thing))
    if last is None or last.kind != "go" or last.subject != actor:
        options.append(("go", ""))
    return options


def _event(rng: Random, world: World, places: tuple[str, ...], last: Event | None) -> Event:
    """The next event, drawn from what is possible."""
    people = list(world.people)
    actor = _actor(rng, people, last)
    options = _options(world, actor, last)
    if not options:  # the actor has just come and finds nothing here: another one acts
        actor = pick(rng, [person for person in people if person != actor])
        options = _options(world, actor, last)
    kind, thing = pick(rng, options)
    here = world.people[actor]
    if kind == "go":
        return Event("go", actor, target=pick(rng, [p for p in places if p != here]))
    if kind == "give":
        present = [p for p in people if p != actor and world.people[p] == here]
        return Event("give", actor, thing, pick(rng, present))
    return Event("take" if kind == "take" else "drop", actor, thing)


def events(rng: Random, world: World, places: tuple[str, ...], n_events: int) -> list[Event]:
    """A chain of events, applied to the world one by one, then how some people feel."""
    chain: list[Event] = []
    for _ in range(n_events):
        event = _event(rng, world, places, chain[-1] if chain else None)
        world.apply(event)
        chain.append(event)
    people = pick_distinct(rng, list(world.people), between(rng, 1, 2))
    for person, feeling in zip(people, pick_distinct(rng, FEELINGS, len(people)), strict=True):
        chain.append(Event("feel", person, target=feeling))
        world.apply(chain[-1])
    return chain
