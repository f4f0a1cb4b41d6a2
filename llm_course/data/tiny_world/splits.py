"""Which combinations are held out: a fifth of them, decided by the combination itself.

Every single word and number occurs in training; what a held-out item shows is a *combination*
that no training item has. A model that does well there composes; it cannot have memorised.

Two rules:

- a person with an object: held out if the sum of their indices in ``NAMES`` and ``OBJECTS`` is
  divisible by 5. A story takes its cast so that *all* its pairs are on one side, which the rule
  makes possible: for each name, a fifth of the objects.
- anything else (two numbers, two neighbouring words, an object and its colour): held out if a
  checksum of the combination is divisible by 5. Order does not count: 3 + 5 goes with 5 + 3.
"""

from functools import cache
from random import Random
from typing import Literal, get_args
from zlib import crc32

from llm_course.data.tiny_world.chance import pick, pick_distinct
from llm_course.data.tiny_world.words import NAMES, OBJECTS

Split = Literal["train", "held_out"]
MODULUS = 5

NAME_CLASS = {name: i % MODULUS for i, name in enumerate(NAMES)}
OBJECT_CLASS = {thing: j % MODULUS for j, thing in enumerate(OBJECTS)}


def check_split(split: str) -> None:
    """Check the name of a split.

    Raises:
        ValueError: it is neither train nor held_out.
    """
    if split not in get_args(Split):
        raise ValueError(f"split: expected one of {get_args(Split)}, got {split!r}.")


def pair_split(name: str, thing: str) -> Split:
    """The split of a person with an object.

    >>> pair_split("Anna", "ball"), pair_split("Anna", "book")
    ('held_out', 'train')
    """
    held_out = (NAME_CLASS[name] + OBJECT_CLASS[thing]) % MODULUS == 0
    return "held_out" if held_out else "train"


def combination_split(first: object, second: object) -> Split:
    """The split of any other two things, in either order.

    >>> combination_split(3, 5) == combination_split(5, 3)
    True
    """
    one, two = str(first), str(second)
    key = f"{one} {two}" if one <= two else f"{two} {one}"
    return "held_out" if crc32(key.encode()) % MODULUS == 0 else "train"


@cache
def partners(word: str, pool: tuple[str, ...], split: Split) -> tuple[str, ...]:
    """The words of a pool whose combination with this one is in the split.

    >>> pool = ("red", "blue")
    >>> sorted(partners("ball", pool, "train") + partners("ball", pool, "held_out"))
    ['blue', 'red']
    """
    return tuple(w for w in pool if w != word and combination_split(word, w) == split)


@cache
def _objects_for(name_classes: frozenset[int], split: Split) -> tuple[str, ...]:
    """The objects whose pairs with all names of these classes are in the split."""
    opposite = {-name_class % MODULUS for name_class in name_classes}
    if split == "held_out":
        return tuple(o for o in OBJECTS if opposite == {OBJECT_CLASS[o]})
    return tuple(o for o in OBJECTS if OBJECT_CLASS[o] not in opposite)


def cast(rng: Random, n_people: int, n_objects: int, split: Split) -> tuple[list[str], list[str]]:
    """People and objects all of whose pairs belong to the split.

    Raises:
        ValueError: more than 4 people or 8 objects, fewer than 1, or an unknown split.

    >>> people, objects = cast(Random(0), 2, 3, "held_out")
    >>> {pair_split(person, thing) for person in people for thing in objects}
    {'held_out'}
    """
    check_split(split)
    # Four names leave at least one of the five classes of objects, which has twelve.
    if not (1 <= n_people <= 4 and 1 <= n_objects <= 8):
        raise ValueError(
            f"cast: expected 1-4 people and 1-8 objects, got {n_people} and {n_objects}."
        )
    if split == "held_out":
        chosen = NAME_CLASS[pick(rng, NAMES)]
        people = pick_distinct(rng, NAMES[chosen::MODULUS], n_people)
    else:
        people = pick_distinct(rng, NAMES, n_people)
    objects = _objects_for(frozenset(NAME_CLASS[name] for name in people), split)
    return people, pick_distinct(rng, objects, n_objects)
