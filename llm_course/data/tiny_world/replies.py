"""Two replies to one question, one better than the other: polite or rude, right or wrong.

Polite and rude phrases come in equal lengths, so that the length of a reply says nothing about
its quality, and a reward model cannot win by counting words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from llm_course.data.tiny_world.arithmetic import arithmetic
from llm_course.data.tiny_world.chance import (
    between,
    coin,
    generator,
    pick,
    pick_distinct,
)
from llm_course.data.tiny_world.splits import (
    Split,
    cast,
    check_split,
    pair_split,
    partners,
)
from llm_course.data.tiny_world.words import COLOURS, NAMES, PLACES, THINGS, at

Difference = Literal["manner", "content", "both"]

# Phrase i of a polite list has as many words as phrase i of the rude list beside it.
POLITE_OPENERS = ("Of course, {asker}!", "Good question, {asker}.", "I am glad to help.",
                  "Thank you for asking me.", "With great pleasure, {asker}.")  # fmt: skip
RUDE_OPENERS = ("Not again, {asker}!", "Stop asking, {asker}.", "I am tired of you.",
                "You never listen to me.", "What a question, {asker}.")  # fmt: skip
POLITE_CLOSERS = ("Have a nice day!", "I hope that helps.", "Please ask again any time.",
                  "It was no trouble at all.")  # fmt: skip
RUDE_CLOSERS = ("Now please go away!", "Do not bother me.", "That was a silly question.",
                "Find it out yourself next time.")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReplyPair:
    """A prompt with a chosen and a rejected reply.

    Args:
        id: names it by seed, split and number; empty if it was made on its own.
        split: whether its combinations are of training or held out.
        prompt: a fact, if one is needed, and the question.
        chosen: the better reply, polite and right.
        rejected: the worse one.
        answer: the sentence with the right content, which ``judge.gold_reward`` looks for.
        differ: whether the rejected reply is rude (``manner``), wrong (``content``) or both.
        combinations: the pairs that place it in its split.
    """

    id: str
    split: Split
    prompt: str
    chosen: str
    rejected: str
    answer: str
    differ: Difference
    combinations: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Exchange:
    """A fact, a question, the right answer and a wrong one of the same form, and the object."""

    fact: str
    question: str
    right: str
    wrong: str
    combinations: tuple[tuple[str, str], ...]
    thing: str = ""


def _where(rng: Random, split: Split) -> _Exchange:
    (person,), (thing,) = cast(rng, 1, 1, split)
    right, wrong = pick_distinct(rng, tuple(PLACES), 2)
    return _Exchange(
        f"{person} left the {thing} {at(right)}.",
        f"Where is the {thing}?",
        f"It is {at(right)}.",
        f"It is {at(wrong)}.",
        ((person, thing),),
        thing,
    )


def _who(rng: Random, split: Split) -> _Exchange:
    people, (thing,) = cast(rng, 2, 1, split)
    right, wrong = people
    pairs = tuple((person, thing) for person in people)
    return _Exchange(
        f"{right} took the {thing}.",
        f"Who has the {thing}?",
        f"{right} has it.",
        f"{wrong} has it.",
        pairs,
        thing,
    )


def _colour(rng: Random, split: Split) -> _Exchange:
    # An object with fewer than two colours in the split is passed over.
    things = [thing for thing in THINGS if len(partners(thing, COLOURS, split)) > 1]
    thing = pick(rng, things)
    right, wrong = pick_distinct(rng, partners(thing, COLOURS, split), 2)
    return _Exchange(
        f"The {thing} is {right}.",
        f"What colour is the {thing}?",
        f"It is {right}.",
        f"It is {wrong}.",
        ((thing, right), (thing, wrong)),
        thing,
    )


def _sum(rng: Random, split: Split) -> _Exchange:
    problem = arithmetic(rng, 2, largest=20, split=split)
    # A slip of one to three, never below 0, in either direction.
    slip = between(rng, 1, 3)
    wrong = problem.answer + (slip if coin(rng) or slip > problem.answer else -slip)
    pairs = tuple((str(a), str(b)) for a, b in problem.combinations)
    question = f"What is {problem.question.removesuffix(' = ?')}?"
    return _Exchange("", question, f"It is {problem.answer}.", f"It is {wrong}.", pairs)


EXCHANGES = {"where": _where, "who": _who, "colour": _colour, "sum": _sum}


def _askers(exchange: _Exchange, split: Split) -> list[str]:
    """People outside the fact, whose pair with its object is in the split as well."""
    thing = exchange.thing
    names = [name for name in NAMES if name not in exchange.fact]
    return [name for name in names if not thing or pair_split(name, thing) == split]


def _reply(rng: Random, asker: str, content: str, *, polite: bool) -> str:
    """An opener, the content, a closer."""
    openers, closers = (POLITE_OPENERS, POLITE_CLOSERS) if polite else (RUDE_OPENERS, RUDE_CLOSERS)
    return f"{pick(rng, openers).format(asker=asker)} {content} {pick(rng, closers)}"


def reply_pair(
    rng: Random, split: Split = "train", differ: Difference | None = None, id: str = ""
) -> ReplyPair:
    """Make one pair of replies.

    Args:
        rng: the only source of chance.
        split: which combinations the prompt may use.
        differ: in what the replies differ; None for any of the three, each as likely.
        id: how to name it.

    Raises:
        ValueError: the split or the difference does not exist.

    >>> pair = reply_pair(Random(0), differ="manner")
    >>> pair.answer in pair.chosen and pair.answer in pair.rejected
    True
    """
    check_split(split)
    differ = pick(rng, get_args(Difference)) if differ is None else differ
    if differ not in get_args(Difference):
        raise ValueError(f"differ: expected one of {get_args(Difference)}, got {differ!r}.")
    exchange = EXCHANGES[pick(rng, tuple(EXCHANGES))](rng, split)
    asker = pick(rng, _askers(exchange, split))
    prompt = f'{exchange.fact} {asker} asks: "{exchange.question}"'.strip()
    content = exchange.right if differ == "manner" else exchange.wrong
    return ReplyPair(
        id=id,
        split=split,
        prompt=prompt,
        chosen=_reply(rng, asker, exchange.right, polite=True),
        rejected=_reply(rng, asker, content, polite=differ == "content"),
        answer=exchange.right,
        differ=differ,
        combinations=exchange.combinations,
    )


def reply_pairs(
    n: int, seed: int, split: Split = "train", differ: Difference | None = None
) -> Iterator[ReplyPair]:
    """Make n pairs; the i-th is the same however many are asked for.

    >>> [pair.id for pair in reply_pairs(1, seed=0)]
    ['replies/0/train/any/0']
    """
    for i in range(n):
        key = ("replies", seed, split, differ or "any", i)
        yield reply_pair(generator(*key), split, differ, id="/".join(map(str, key)))
