"""A stream of documents of every kind, in chosen proportions: the corpus of the tiny world."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from types import MappingProxyType

from llm_course.data.documents import Document
from llm_course.data.tiny_world.arithmetic import arithmetic
from llm_course.data.tiny_world.chance import between, coin, generator, pick
from llm_course.data.tiny_world.instructions import instruction
from llm_course.data.tiny_world.replies import reply_pair
from llm_course.data.tiny_world.simulation import check_level
from llm_course.data.tiny_world.splits import Split, check_split
from llm_course.data.tiny_world.stories import story


def _story(rng: Random, split: Split, level: int) -> str:
    return story(rng, split, level).text


def _questions(rng: Random, split: Split, level: int) -> str:
    tale = story(rng, split, level)
    question = pick(rng, tale.questions)
    return f"{tale.text}\nQuestion: {question.text}\nAnswer: {question.answer}"


def _instruction(rng: Random, split: Split, level: int) -> str:
    return instruction(rng, None, split, level).text


def _arithmetic(rng: Random, split: Split, level: int) -> str:
    style = "words" if coin(rng) else "symbols"
    problem = arithmetic(rng, level + 1, split=split, style=style)
    return f"Question: {problem.question}\nAnswer: {problem.response(steps=coin(rng))}"


def _reply(rng: Random, split: Split, level: int) -> str:
    pair = reply_pair(rng, split)
    # Pre-training text holds good and bad replies alike: preferring is learned later.
    return f"{pair.prompt}\nReply: {pair.chosen if coin(rng) else pair.rejected}"


KINDS: dict[str, Callable[[Random, Split, int], str]] = {
    "story": _story,
    "questions": _questions,
    "instruction": _instruction,
    "arithmetic": _arithmetic,
    "reply": _reply,
}
# Shares of the documents, not of the bytes.
DEFAULT_MIX: Mapping[str, float] = MappingProxyType(
    {
        "story": 0.5,
        "questions": 0.2,
        "instruction": 0.15,
        "arithmetic": 0.1,
        "reply": 0.05,
    }
)


def _check_mix(mix: Mapping[str, float]) -> None:
    unknown = sorted(set(mix) - set(KINDS))
    if unknown or not mix:
        raise ValueError(f"mix: expected kinds of {tuple(KINDS)}, got {unknown or 'none'}.")
    if min(mix.values()) < 0 or abs(sum(mix.values()) - 1) > 1e-9:
        raise ValueError(f"mix: expected shares that add up to 1, got {dict(mix)}.")


def _draw_kind(rng: Random, mix: Mapping[str, float]) -> str:
    """A kind, drawn by its share."""
    threshold, total = rng.random(), 0.0
    for kind, share in mix.items():
        total += share
        if threshold < total:
            return kind
    return max(mix, key=lambda kind: mix[kind])  # rounding left the total a hair below 1


def documents(
    n_bytes: int,
    seed: int,
    split: Split = "train",
    *,
    mix: Mapping[str, float] = DEFAULT_MIX,
    level: int | None = None,
) -> Iterator[Document]:
    """Whole documents until their texts have at least ``n_bytes`` UTF-8 bytes.

    Args:
        n_bytes: how much text, at least.
        seed: the same seed gives the same stream; more bytes only prolong it.
        split: which combinations it may use.
        mix: the share of documents of each kind in ``KINDS``.
        level: the difficulty, 1 to 4; None for 1 to 3, each as likely.

    Raises:
        ValueError: the split, the level or the mix is wrong.

    >>> [document.topic for document in documents(1, seed=0, mix={"story": 1.0})]
    ['story']
    """
    check_split(split)
    _check_mix(mix)
    if level is not None:
        check_level(level)
    return _stream(n_bytes, seed, split, mix, level)


def _stream(
    n_bytes: int, seed: int, split: Split, mix: Mapping[str, float], level: int | None
) -> Iterator[Document]:
    """The generator behind ``documents``, whose arguments are checked before it starts."""
    made = number = 0
    while made < n_bytes:
        rng = generator("text", seed, split, number)
        kind = _draw_kind(rng, mix)
        hardness = between(rng, 1, 3) if level is None else level
        document = Document(
            id=f"tiny_world/{seed}/{split}/{number}",
            text=KINDS[kind](rng, split, hardness),
            corpus="tiny_world",
            topic=kind,
            metadata={"split": split, "level": hardness},
        )
        yield document
        made, number = made + document.n_bytes, number + 1


def text(n_bytes: int, seed: int, split: Split = "train", separator: str = "\n\n") -> str:
    """The stream as one string, its documents apart by ``separator``.

    >>> len(text(1000, seed=0)) >= 1000
    True
    """
    return separator.join(document.text for document in documents(n_bytes, seed, split))
