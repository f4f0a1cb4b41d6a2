"""The tasks behind the instructions: each makes an input, its exact output and its combinations.

A task knows nothing of how it is worded; ``instructions`` adds the wording. The level sets the
length of the input.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from llm_course.data.tiny_world.arithmetic import Style, arithmetic
from llm_course.data.tiny_world.chance import between, coin, pick, pick_distinct
from llm_course.data.tiny_world.splits import Split, cast, combination_split, partners
from llm_course.data.tiny_world.stories import story
from llm_course.data.tiny_world.words import (
    COLOURS,
    FOODS,
    NUMBER_WORDS,
    OBJECTS,
    PLACES,
    THINGS,
    count_of,
    with_article,
)

WORDS = OBJECTS + tuple(PLACES) + COLOURS


@dataclass(frozen=True)
class Task:
    """An input with its exact output.

    Args:
        input: what the instruction is applied to.
        output: the only right answer.
        combinations: the pairs that place it in its split.
        details: words that the instruction itself must contain, by name.
    """

    input: str
    output: str
    combinations: tuple[tuple[str, str], ...]
    details: tuple[tuple[str, str], ...] = ()


def word_chain(rng: Random, n: int, split: Split) -> list[str]:
    """Different words, every two neighbours a combination of the split."""
    words = [pick(rng, WORDS)]
    while len(words) < n:
        words.append(pick(rng, [w for w in partners(words[-1], WORDS, split) if w not in words]))
    return words


def _neighbours(words: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple(pairwise(words))


def on_words(
    answer: Callable[[list[str]], str],
) -> Callable[[Random, Split, int], Task]:
    """A task on a list of words, given how its answer is computed."""

    def task(rng: Random, split: Split, level: int) -> Task:
        words = word_chain(rng, between(rng, 2, level + 3), split)
        return Task(", ".join(words), answer(words), _neighbours(words))

    return task


def on_sums(*, steps: bool, style: Style) -> Callable[[Random, Split, int], Task]:
    """An arithmetic task: level + 1 terms below 100."""

    def task(rng: Random, split: Split, level: int) -> Task:
        problem = arithmetic(rng, level + 1, split=split, style=style)
        pairs = tuple((str(a), str(b)) for a, b in problem.combinations)
        output = problem.response(steps=True) if steps else str(problem.answer)
        return Task(problem.question, output, pairs)

    return task


def compare(rng: Random, split: Split, level: int) -> Task:
    """The larger of two numbers of up to ``level`` + 1 digits."""
    while True:
        one, two = (between(rng, 0, 10 ** (level + 1) - 1) for _ in range(2))
        if one != two and combination_split(one, two) == split:
            return Task(f"{one}, {two}", str(max(one, two)), ((str(one), str(two)),))


def _coloured(rng: Random, split: Split, level: int) -> dict[str, str]:
    """Objects with different colours, every object-colour pair in the split."""
    colours: dict[str, str] = {}
    for thing in pick_distinct(rng, THINGS, level + 1):
        free = [c for c in partners(thing, COLOURS, split) if c not in colours.values()]
        if free:  # few objects have no held-out colour left: they are left out
            colours[thing] = pick(rng, free)
    return colours if len(colours) > 1 else _coloured(rng, split, level)


def look_up(rng: Random, split: Split, level: int) -> Task:
    """The colour of one of several objects, from facts that are given."""
    colours = _coloured(rng, split, level)
    facts = " ".join(f"The {thing} is {colour}." for thing, colour in colours.items())
    asked = pick(rng, list(colours))
    return Task(facts, colours[asked], tuple(colours.items()), (("thing", asked),))


def look_up_object(rng: Random, split: Split, level: int) -> Task:
    """The object that has a colour, from facts that are given."""
    colours = _coloured(rng, split, level)
    facts = " ".join(f"The {thing} is {colour}." for thing, colour in colours.items())
    asked = pick(rng, list(colours))
    return Task(facts, asked, tuple(colours.items()), (("colour", colours[asked]),))


def count_noun(rng: Random, split: Split, level: int) -> Task:
    """A number and a noun, the noun put in its right form."""
    thing = pick(rng, OBJECTS)
    numbers = partners(thing, tuple(map(str, range(1, 10**level + 1))), split)
    if not numbers:
        return count_noun(rng, split, level)
    number = pick(rng, numbers)
    return Task(f"{number} {thing}", count_of(int(number), thing), ((number, thing),))


def replace(rng: Random, split: Split, level: int) -> Task:
    """A sentence about one person, retold about another."""
    (old, new), things = cast(rng, 2, min(level, 3), split)
    sentence = f"{{}} has {' and '.join(map(with_article, things))}."
    pairs = tuple((person, thing) for person in (old, new) for thing in things)
    return Task(sentence.format(old), sentence.format(new), pairs, (("old", old), ("new", new)))


def find_food(rng: Random, split: Split, level: int) -> Task:
    """The only thing that one can eat, among others."""
    food = pick(rng, FOODS)
    words = pick_distinct(rng, partners(food, THINGS, split), min(level + 1, 4))
    pairs = tuple((food, word) for word in words)
    words.insert(between(rng, 0, len(words)), food)
    return Task(", ".join(words), food, pairs)


def contains(rng: Random, split: Split, level: int) -> Task:
    """Whether a word is in a list: yes for half of the tasks."""
    *words, absent = word_chain(rng, level + 3, split)
    asked, output = (pick(rng, words), "yes") if coin(rng) else (absent, "no")
    return Task(", ".join(words), output, _neighbours(words), (("word", asked),))


def reading(rng: Random, split: Split, level: int) -> Task:
    """A question about a story."""
    tale = story(rng, split, level)
    question = pick(rng, tale.questions)
    pairs = tuple((person, thing) for person in tale.state.people for thing in tale.state.things)
    return Task(f"{tale.text} {question.text}", question.answer, pairs)


TASKS: dict[str, Callable[[Random, Split, int], Task]] = {
    "repeat": on_words(", ".join),
    "reverse": on_words(lambda words: ", ".join(reversed(words))),
    "sort": on_words(lambda words: ", ".join(sorted(words))),
    "first": on_words(lambda words: words[0]),
    "last": on_words(lambda words: words[-1]),
    "count": on_words(lambda words: NUMBER_WORDS[len(words)]),
    "contains": contains,
    "sum": on_sums(steps=False, style="symbols"),
    "sum_steps": on_sums(steps=True, style="symbols"),
    "word_problem": on_sums(steps=False, style="words"),
    "word_problem_steps": on_sums(steps=True, style="words"),
    "compare": compare,
    "look_up": look_up,
    "look_up_object": look_up_object,
    "count_noun": count_noun,
    "replace": replace,
    "find_food": find_food,
    "reading": reading,
}
