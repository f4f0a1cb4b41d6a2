"""Random choices that are the same in every process, on every platform and Python version.

Python promises that ``random.Random(seed).random()`` gives the same numbers for ever; it does not
promise it for ``choice``, ``sample`` or ``shuffle``. So every choice here is made from ``random()``
alone, and ``hash()``, whose values for strings differ between processes, is never used.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def generator(*key: object) -> Random:
    """A generator of its own for each key, such as a seed, a kind and a number.

    Item 1,000 of a data set can be made without making the 999 before it.

    >>> generator(0, "story", 7).random() == generator(0, "story", 7).random()
    True
    """
    return Random("/".join(str(part) for part in key))


def pick(rng: Random, items: Sequence[T]) -> T:
    """One item, each with equal probability.

    >>> pick(Random(0), ["a"])
    'a'
    """
    return items[int(rng.random() * len(items))]


def pick_distinct(rng: Random, items: Sequence[T], n: int) -> list[T]:
    """``n`` different items in random order: the first n steps of a Fisher-Yates shuffle.

    Raises:
        ValueError: there are fewer than n items.

    >>> sorted(pick_distinct(Random(0), "abc", 3))
    ['a', 'b', 'c']
    """
    if n > len(items):
        raise ValueError(f"n: expected at most {len(items)}, got {n}.")
    pool = list(items)
    for i in range(n):
        j = i + int(rng.random() * (len(pool) - i))
        pool[i], pool[j] = pool[j], pool[i]
    return pool[:n]


def between(rng: Random, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``, both included.

    >>> between(Random(0), 4, 4)
    4
    """
    return low + int(rng.random() * (high - low + 1))


def coin(rng: Random, probability: float = 0.5) -> bool:
    """True with the given probability.

    >>> coin(Random(0), 0.0), coin(Random(0), 1.0)
    (False, True)
    """
    return rng.random() < probability
