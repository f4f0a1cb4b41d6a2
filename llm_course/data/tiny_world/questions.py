"""Questions about a story, with answers computed from the state of the world.

Answers are balanced as far as the state allows: the answer is chosen first (yes or no, a number,
somebody or nobody), then an object or a person that it is true of. ``baseline`` measures what is
left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from llm_course.data.tiny_world.chance import coin, pick
from llm_course.data.tiny_world.state import Event, World
from llm_course.data.tiny_world.words import FOODS, NUMBER_WORDS, at

FOOD_SET = frozenset(FOODS)
# Left to chance, "nobody" and "none" would be half of all answers.
NOBODY_SHARE = 0.25
NONE_SHARE = 0.4


@dataclass(frozen=True)
class Question:
    """A question with its exact answer.

    Args:
        kind: what it asks for, a key of ``QUESTIONS``.
        text: the question.
        answer: a word or a short phrase, without a full stop.
        hops: how many facts must be combined: an object's place is its holder's place.
    """

    kind: str
    text: str
    answer: str
    hops: int = 1


def holder(rng: Random, world: World, chain: list[Event]) -> Question | None:
    """Who has an object at the end: one of the people, or (a quarter of the time) nobody."""
    held = [thing for thing, where in world.things.items() if where in world.people]
    lying = [thing for thing, where in world.things.items() if where not in world.people]
    if not held:
        return None
    thing = pick(rng, lying if lying and coin(rng, NOBODY_SHARE) else held)
    answer = world.things[thing] if thing in held else "nobody"
    return Question("holder", f"Who had the {thing} at the end?", answer)


def where_person(rng: Random, world: World, chain: list[Event]) -> Question | None:
    """Where a person is at the end."""
    person = pick(rng, list(world.people))
    return Question("where_person", f"Where was {person} at the end?", at(world.people[person]))


def where_object(rng: Random, world: World, chain: list[Event]) -> Question | None:
    """Where an object is at the end: two facts, if somebody has it."""
    thing = pick(rng, list(world.things))
    hops = 2 if world.things[thing] in world.people else 1
    text = f"Where was the {thing} at the end?"
    return Question("where_object", text, at(world.place_of(thing)), hops)


def how_many(rng: Random, world: World, chain: list[Event]) -> Question | None:
    """How many objects a person has at the end; asked only if somebody has any."""
    people_with: dict[int, list[str]] = {}
    for person in world.people:
        people_with.setdefault(len(world.held_by(person)), []).append(person)
    counts = [n for n in people_with if n]
    if not counts:
        return None
    n = 0 if 0 in people_with and coin(rng, NONE_SHARE) else pick(rng, counts)
    text = f"How many things did {pick(rng, people_with[n])} have at the end?"
    return Question("how_many", text, NUMBER_WORDS[n], max(n, 1))


def yes_no(rng: Random, world: World, chain: list[Event]) -> Question | None:
    """Whether a person has an object at the end: yes for half of the questions."""
    held = [thing for thing, where in world.things.items() if where in world.people]
    if not held or len(world.people) < 2:
        return None  # one of the answers could not be true; leaving it out keeps the halves equal
    thing = pick(rng, held)
    yes = coin(rng)
    others = [person for person in world.people if person != world.things[thing]]
    person = world.things[thing] if yes else pick(rng, others)
    text = f"Did {person} have the {thing} at the end?"
    return Question("yes_no", text, "yes" if yes else "no")


def colour(rng: Random, world: World, chain: list[Event]) -> Question | None:
    """What colour an object is; food has none."""
    things = [thing for thing in world.things if thing not in FOOD_SET]
    if not things:
        return None
    thing = pick(rng, things)
    return Question("colour", f"What colour was the {thing}?", world.adjectives[thing])


def feeling(rng: Random, world: World, chain: list[Event]) -> Question | None:
    """How a person felt at the end."""
    person = pick(rng, list(world.feelings))
    return Question("feeling", f"How did {person} feel at the end?", world.feelings[person])


def first_taker(rng: Random, world: World, chain: list[Event]) -> Question | None:
    """Who was the first to pick an object up in the story."""
    takers: dict[str, str] = {}
    for event in chain:
        if event.kind == "take":
            takers.setdefault(event.thing, event.subject)
    if not takers:
        return None
    thing = pick(rng, list(takers))
    return Question("first_taker", f"Who was the first to pick up the {thing}?", takers[thing])


QUESTIONS: dict[str, Callable[[Random, World, list[Event]], Question | None]] = {
    "holder": holder,
    "where_person": where_person,
    "where_object": where_object,
    "how_many": how_many,
    "yes_no": yes_no,
    "colour": colour,
    "feeling": feeling,
    "first_taker": first_taker,
}


def ask(rng: Random, world: World, chain: list[Event]) -> tuple[Question, ...]:
    """One question of each kind that this story can answer."""
    questions = (make(rng, world, chain) for make in QUESTIONS.values())
    return tuple(question for question in questions if question is not None)
