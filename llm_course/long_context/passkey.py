"""Needles in a haystack: a number is hidden in a long text, and asked for at its end.

The haystack says nothing of use, so whoever answers has read the one sentence that counts. With
several keys there are needles of the same form, and only the name tells which is meant. Everything
is made from a seed and is text: how many tokens it has, its reader's tokenizer says.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from llm_course.data.tiny_world.chance import between, generator, pick, pick_distinct

HAY = (
    "The river runs past the old mill.",
    "Clouds drift slowly over the hills.",
    "A cart stands empty by the gate.",
    "Somebody has left the window open.",
    "The bell rings, and it is evening again.",
)
"""What the haystack is made of."""

OWNERS = (
    "badger", "camel", "donkey", "eagle", "falcon", "goose", "heron", "lizard", "magpie", "otter",
    "panda", "rabbit", "salmon", "tiger", "walrus", "zebra",
)  # fmt: skip
"""Whose numbers are hidden."""

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, kw_only=True)
class RetrievalTask:
    """A long text, a question about it and its answer.

    Args:
        text: the haystack with its needles.
        question: begins a sentence that the answer ends.
        answer: what was hidden.
        others: the numbers of the other needles.
        depth: where in the text the needle lies, from 0, the beginning, to 1, the end.
    """

    text: str
    question: str
    answer: str
    others: tuple[str, ...] = ()
    depth: float

    @property
    def prompt(self) -> str:
        """What is read: the text, then the question."""
        return f"{self.text}\n{self.question}"


def passkey_task(n_sentences: int, depth: float, seed: int, n_digits: int = 5) -> RetrievalTask:
    """One number, hidden among ``n_sentences`` that say nothing.

    The same seed gives the same number and the same sentences, whatever the length and the depth.

    Args:
        n_sentences: length of the haystack.
        depth: where the number lies, from 0 to 1.
        seed: which number, and which haystack.
        n_digits: of the number.

    Raises:
        ValueError: a number is out of range.

    Source:
        Mohtashami and Jaggi 2023, arXiv:2305.16300, section 4.2 (the task; its words are ours).

    >>> task = passkey_task(2, depth=0.5, seed=0)
    >>> task.text.split(". ")[1] == f"The passkey is {task.answer}"
    True
    """
    _check(n_sentences, depth, n_digits)
    rng = generator(seed, "passkey")
    number = _number(rng, n_digits)
    needles = [(round(depth * n_sentences), f"The passkey is {number}.")]
    return RetrievalTask(
        text=_hide(rng, n_sentences, needles),
        question="The passkey is",
        answer=number,
        depth=depth,
    )


def multi_key_task(
    n_sentences: int, depth: float, seed: int, n_keys: int = 4, n_digits: int = 5
) -> RetrievalTask:
    """Several numbers, each of an animal; that of one is asked for.

    Args:
        n_sentences: length of the haystack.
        depth: where the number that is asked for lies; the others lie anywhere.
        seed: which numbers, owners and haystack.
        n_keys: how many numbers are hidden.
        n_digits: of each number.

    Raises:
        ValueError: a number is out of range.

    Source:
        Hsieh et al. 2024, arXiv:2404.06654, section 3 (multi-keys NIAH; its words are ours).

    >>> task = multi_key_task(3, depth=1.0, seed=0, n_keys=3)
    >>> task.text.count("number of the"), len(task.others), task.question[:12]
    (3, 2, 'The number o')
    """
    _check(n_sentences, depth, n_digits)
    if not 1 <= n_keys <= len(OWNERS):
        raise ValueError(f"n_keys: expected 1 to {len(OWNERS)}, got {n_keys}.")
    rng = generator(seed, "multi-key", n_keys)
    owners = pick_distinct(rng, OWNERS, n_keys)
    numbers = [_number(rng, n_digits)]
    while len(numbers) < n_keys:
        number = _number(rng, n_digits)
        if number not in numbers:
            numbers.append(number)
    places = [round(depth * n_sentences), *(between(rng, 0, n_sentences) for _ in owners[1:])]
    told = [f"The number of the {o} is {n}." for o, n in zip(owners, numbers, strict=True)]
    return RetrievalTask(
        text=_hide(rng, n_sentences, list(zip(places, told, strict=True))),
        question=f"The number of the {owners[0]} is",
        answer=numbers[0],
        others=tuple(numbers[1:]),
        depth=depth,
    )


def passkey_found(reply: str, answer: str) -> bool:
    """Whether the first number of a reply is the answer, digit for digit.

    A longer number that contains it is another number, and a right number after a wrong one is a
    second guess.

    Raises:
        ValueError: the answer is no number.

    >>> passkey_found(" 40718.", "40718"), passkey_found("407182", "40718")
    (True, False)
    >>> passkey_found("Not 11111 but 40718", "40718")
    False
    """
    if not _DIGITS.fullmatch(answer):
        raise ValueError(f"answer: expected digits only, got {answer!r}.")
    first = _DIGITS.search(reply)
    return first is not None and first.group() == answer


def longest_that_fits(
    make: Callable[[int], RetrievalTask], count: Callable[[str], int], n_tokens: int
) -> RetrievalTask:
    """The task with the most sentences whose prompt has at most ``n_tokens``.

    Args:
        make: a task of so many sentences.
        count: tokens of a text.
        n_tokens: room for the prompt.

    Raises:
        ValueError: not even one sentence fits.

    >>> task = longest_that_fits(lambda n: passkey_task(n, 0.5, seed=0), len, n_tokens=200)
    >>> 160 < len(task.prompt) <= 200
    True
    """
    low, high = 1, 2
    if count(make(low).prompt) > n_tokens:
        raise ValueError(
            f"n_tokens: expected room for {count(make(low).prompt)}, the shortest task, "
            f"got {n_tokens}."
        )
    while count(make(high).prompt) <= n_tokens:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(make(middle).prompt) <= n_tokens else (low, middle)
    return make(low)


def _hide(rng: Random, n_sentences: int, needles: list[tuple[int, str]]) -> str:
    """The haystack, with each needle after so many of its sentences."""
    told: list[str] = []
    for i in range(n_sentences + 1):
        told += [needle for place, needle in needles if place == i]
        told += [pick(rng, HAY)] if i < n_sentences else []
    return " ".join(told)


def _number(rng: Random, n_digits: int) -> str:
    return str(between(rng, 10 ** (n_digits - 1), 10**n_digits - 1))


def _check(n_sentences: int, depth: float, n_digits: int) -> None:
    if n_sentences < 1:
        raise ValueError(f"n_sentences: expected 1 or more, got {n_sentences}.")
    if not 0 <= depth <= 1:
        raise ValueError(f"depth: expected 0 to 1, got {depth}.")
    if n_digits < 1:
        raise ValueError(f"n_digits: expected 1 or more, got {n_digits}.")
