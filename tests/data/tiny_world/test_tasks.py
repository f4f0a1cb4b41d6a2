"""Tasks: outputs recomputed from the inputs by other means, splits disjoint for every task."""

import re
from itertools import pairwise
from random import Random

import pytest

from llm_course.data.tiny_world.splits import combination_split
from llm_course.data.tiny_world.tasks import TASKS, word_chain
from llm_course.data.tiny_world.words import FOODS

NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def _words(task):
    return re.findall(r"\w+", task.input)


def _facts(task):
    return dict(re.findall(r"The (\w+) is (\w+)\.", task.input))


def _value(task):
    """A sum in symbols or words: losses are "- n", "lost n" and "gave n to"."""
    numbers = re.findall(r"(- |lost |(?:She|He) gave )?(\d+)", task.input)
    return str(sum(-int(n) if sign else int(n) for sign, n in numbers))


def _last_number(task):
    return re.findall(r"\d+", task.output)[-1]


# For each task, what it gives and what it must give (of a plural, its start: see
# test_words), computed here from the input's text and the details.
EXPECTED = {
    "repeat": lambda task, details: (task.output, task.input),
    "reverse": lambda task, details: (task.output.split(", ")[::-1], task.input.split(", ")),
    "sort": lambda task, details: (task.output.split(", "), sorted(_words(task))),
    "first": lambda task, details: (task.output, _words(task)[0]),
    "last": lambda task, details: (task.output, _words(task)[-1]),
    "count": lambda task, details: (task.output, NUMBERS[len(_words(task))]),
    "contains": lambda task, details: (task.output == "yes", details["word"] in _words(task)),
    "sum": lambda task, details: (task.output, _value(task)),
    "sum_steps": lambda task, details: (_last_number(task), _value(task)),
    "word_problem": lambda task, details: (task.output, _value(task)),
    "word_problem_steps": lambda task, details: (_last_number(task), _value(task)),
    "compare": lambda task, details: (int(task.output), max(map(int, _words(task)))),
    "look_up": lambda task, details: (task.output, _facts(task)[details["thing"]]),
    "look_up_object": lambda task, details: (_facts(task)[task.output], details["colour"]),
    "count_noun": lambda task, details: (
        (task.output == task.input, re.sub(r"(\w{3})\w*$", r"\1", task.output)),
        (task.input.startswith("1 "), re.sub(r"(\w{3})\w*$", r"\1", task.input)),
    ),
    "replace": lambda task, details: (
        task.output,
        re.sub(rf"\b{details['old']}\b", details["new"], task.input),
    ),
    "find_food": lambda task, details: ([task.output], [w for w in _words(task) if w in FOODS]),
}


@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("split", ["train", "held_out"])
@pytest.mark.parametrize("level", [1, 4])
def test_outputs_recomputed_from_the_input(kind, split, level):
    rng = Random(5)
    for _ in range(100):
        task = TASKS[kind](rng, split, level)
        got, expected = EXPECTED[kind](task, dict(task.details))
        assert got == expected, task


def test_reading_answers_from_the_story(replay):
    rng = Random(6)
    for _ in range(200):
        task = TASKS["reading"](rng, "train", 2)
        text, question = re.fullmatch(r"(.*[.!]) ([A-Z][^.!]*\?)", task.input).groups()
        assert replay(text).answer(question) == re.sub(r"^(in|at|on|by) the ", "", task.output)


def test_every_task_is_checked():
    assert set(EXPECTED) | {"reading"} == set(TASKS)


@pytest.mark.parametrize("kind", TASKS)
def test_no_combination_is_in_both_splits(kind):
    found = {}
    for split in ("train", "held_out"):
        rng = Random(9)
        tasks = [TASKS[kind](rng, split, 2) for _ in range(400)]
        found[split] = {frozenset(pair) for task in tasks for pair in task.combinations}
        assert all(task.combinations for task in tasks)
    assert not found["train"] & found["held_out"]


def test_neighbours_in_the_text_are_of_the_split():
    """Read from the text, not from ``combinations``."""
    rng = Random(3)
    for split in ("train", "held_out"):
        for kind in ("repeat", "reverse", "sort", "first", "last", "count", "contains"):
            for _ in range(50):
                words = TASKS[kind](rng, split, 3).input.split(", ")
                pairs = pairwise(words)
                assert {combination_split(a, b) for a, b in pairs} == {split}


def test_yes_and_no_are_equally_frequent():
    rng = Random(0)
    yes = sum(TASKS["contains"](rng, "train", 2).output == "yes" for _ in range(2000))
    assert 900 < yes < 1100  # 4.5 standard deviations


def test_word_chains_do_not_repeat_words():
    rng = Random(0)
    for _ in range(100):
        words = word_chain(rng, 8, "held_out")
        assert len(set(words)) == 8
