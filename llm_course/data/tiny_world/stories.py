"""Short stories with their ground truth: events, states and questions with exact answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from llm_course.data.tiny_world.chance import generator
from llm_course.data.tiny_world.narration import narrate
from llm_course.data.tiny_world.questions import Question, ask
from llm_course.data.tiny_world.simulation import LEVELS, check_level, events, start
from llm_course.data.tiny_world.splits import Split, check_split
from llm_course.data.tiny_world.state import Event, World


@dataclass(frozen=True, kw_only=True)
class Story:
    """A story, and what is true in it.

    Args:
        id: names the story by seed, split and number; empty if it was made on its own.
        split: whether its person-object pairs are of training or held out.
        level: its difficulty.
        text: the story, one paragraph.
        events: what happened, in order.
        beginning: the world before the first event.
        state: the world after the last one.
        questions: one of each kind that the story can answer.
    """

    id: str
    split: Split
    level: int
    text: str
    events: tuple[Event, ...]
    beginning: World
    state: World
    questions: tuple[Question, ...]


def story(rng: Random, split: Split = "train", level: int = 2, id: str = "") -> Story:
    """Make one story.

    Args:
        rng: the only source of chance.
        split: which person-object pairs it may use.
        level: 1 (3 events) to 4 (14 events), see ``simulation.LEVELS``.
        id: how to name it.

    Raises:
        ValueError: the split or the level does not exist.

    >>> tale = story(Random(0), level=1)
    >>> [event.kind for event in tale.events]
    ['go', 'go', 'take', 'feel', 'feel']
    """
    check_split(split)
    check_level(level)
    beginning, places = start(rng, LEVELS[level], split)
    state = beginning.copy()
    chain = events(rng, state, places, LEVELS[level].n_events)
    return Story(
        id=id,
        split=split,
        level=level,
        text=narrate(rng, beginning, chain),
        events=tuple(chain),
        beginning=beginning,
        state=state,
        questions=ask(rng, state, chain),
    )


def stories(n: int, seed: int, split: Split = "train", level: int = 2) -> Iterator[Story]:
    """Make n stories; the i-th is the same however many are asked for.

    >>> [tale.id for tale in stories(2, seed=3)]
    ['story/3/train/2/0', 'story/3/train/2/1']
    """
    for i in range(n):
        key = ("story", seed, split, level, i)
        yield story(generator(*key), split, level, id="/".join(map(str, key)))
