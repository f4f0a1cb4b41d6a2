"""Sums and differences with any number of terms, answered at once or step by step.

Every step's pair (total so far, next term) is in the problem's split, so a held-out problem is
made of additions and subtractions that training never shows, in either order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from llm_course.data.tiny_world.chance import between, coin, generator, pick
from llm_course.data.tiny_world.splits import (
    Split,
    cast,
    check_split,
    combination_split,
)
from llm_course.data.tiny_world.words import FEMININE, count_of, plural, subject_pronoun

Style = Literal["symbols", "words"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An arithmetic problem, answerable with and without its steps.

    Args:
        id: names the problem by seed, split and number; empty if it was made on its own.
        split: whether its pairs of numbers are of training or held out.
        question: in symbols or in words.
        terms: the signed terms, in order.
        answer: their sum, never negative.

    >>> problem = Problem(id="", split="train", question="", terms=(12, 7, -5), answer=14)
    >>> problem.response(steps=True)
    '12 + 7 = 19. 19 - 5 = 14. The answer is 14.'
    >>> problem.response(steps=False)
    'The answer is 14.'
    """

    id: str
    split: Split
    question: str
    terms: tuple[int, ...]
    answer: int

    @property
    def combinations(self) -> tuple[tuple[int, int], ...]:
        """The pair (total so far, size of the next term) of each step."""
        totals = [sum(self.terms[: i + 1]) for i in range(len(self.terms) - 1)]
        return tuple(zip(totals, map(abs, self.terms[1:]), strict=True))

    def steps(self) -> tuple[str, ...]:
        """One equation for each step."""
        lines = []
        for (total, size), term in zip(self.combinations, self.terms[1:], strict=True):
            lines.append(f"{total} {'+' if term > 0 else '-'} {size} = {total + term}")
        return tuple(lines)

    def response(self, *, steps: bool) -> str:
        """The answer as a sentence, after the steps if asked for."""
        reasoning = "".join(f"{step}. " for step in self.steps()) if steps else ""
        return f"{reasoning}The answer is {self.answer}."


def _terms(rng: Random, n_terms: int, largest: int, split: Split) -> tuple[int, ...]:
    """Signed terms, every step's pair in the split and no total below 0."""
    for _ in range(1000):
        terms = [between(rng, 1, largest)]
        # 60 draws miss a fifth of all pairs with probability 1.5e-6; then a new start is made.
        for _ in range(60 * (n_terms - 1)):
            if len(terms) == n_terms:
                break
            total, term = sum(terms), between(rng, 1, largest)
            if combination_split(total, term) == split:
                terms.append(-term if term <= total and coin(rng) else term)
        if len(terms) == n_terms:
            return tuple(terms)
    raise ValueError(f"largest: expected enough numbers for the {split} split, got {largest}.")


def _in_symbols(terms: tuple[int, ...]) -> str:
    """A row of terms to be worked out."""
    rest = "".join(f" {'+' if term > 0 else '-'} {abs(term)}" for term in terms[1:])
    return f"{terms[0]}{rest} = ?"


def _in_words(rng: Random, terms: tuple[int, ...], split: Split) -> str:
    """The same as a small story of getting and losing."""
    (owner, other), (thing,) = cast(rng, 2, 1, split)
    she, her = (
        subject_pronoun(owner).capitalize(),
        "her" if owner in FEMININE else "him",
    )
    sentences = [f"{owner} had {count_of(terms[0], thing)}."]
    for term in terms[1:]:
        if term > 0:
            phrasings = (
                f"{other} gave {her} {term} more.",
                f"{she} found {term} more.",
            )
        else:
            phrasings = (f"{she} gave {-term} to {other}.", f"{she} lost {-term}.")
        sentences.append(pick(rng, phrasings))
    sentences.append(f"How many {plural(thing)} did {owner} have in the end?")
    return " ".join(sentences)


def arithmetic(
    rng: Random,
    n_terms: int = 2,
    *,
    largest: int = 99,
    split: Split = "train",
    style: Style = "symbols",
    id: str = "",
) -> Problem:
    """Make one problem.

    Args:
        rng: the only source of chance.
        n_terms: how many numbers; the steps are one fewer.
        largest: the largest term; 9 for one digit, 99 for two.
        split: which pairs of numbers it may use.
        style: a row of symbols, or a word problem.
        id: how to name it.

    Raises:
        ValueError: an argument is out of its range.

    >>> arithmetic(Random(0), n_terms=3).question
    '84 + 26 + 41 = ?'
    """
    check_split(split)
    if n_terms < 2:
        raise ValueError(f"n_terms: expected at least 2, got {n_terms}.")
    if largest < 1:
        raise ValueError(f"largest: expected at least 1, got {largest}.")
    if style not in get_args(Style):
        raise ValueError(f"style: expected one of {get_args(Style)}, got {style!r}.")
    terms = _terms(rng, n_terms, largest, split)
    question = _in_symbols(terms) if style == "symbols" else _in_words(rng, terms, split)
    return Problem(id=id, split=split, question=question, terms=terms, answer=sum(terms))


def problems(
    n: int,
    seed: int,
    split: Split = "train",
    *,
    n_terms: int = 2,
    largest: int = 99,
    style: Style = "symbols",
) -> Iterator[Problem]:
    """Make n problems; the i-th is the same however many are asked for.

    >>> [problem.id for problem in problems(1, seed=0)]
    ['arithmetic/0/train/symbols/2/99/0']
    """
    for i in range(n):
        key = ("arithmetic", seed, split, style, n_terms, largest, i)
        yield arithmetic(
            generator(*key),
            n_terms,
            largest=largest,
            split=split,
            style=style,
            id="/".join(map(str, key)),
        )
