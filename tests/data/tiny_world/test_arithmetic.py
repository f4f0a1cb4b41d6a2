"""Arithmetic: exact answers and steps, recomputed from the text; pairs of numbers kept apart."""

import re
from random import Random

import pytest

from llm_course.data.tiny_world.arithmetic import Problem, arithmetic, problems
from llm_course.data.tiny_world.baseline import majority_baseline

EQUATION = re.compile(r"(\d+) ([+-]) (\d+) = (\d+)\.")


def _value_of_symbols(question):
    """The value of "12 + 7 - 5 = ?", by reading it from left to right."""
    total, sign = 0, 1
    for token in question.removesuffix(" = ?").split():
        if token in "+-":
            sign = 1 if token == "+" else -1
        else:
            total += sign * int(token)
    return total


def _value_of_words(question):
    """The value of a word problem, sentence by sentence."""
    first, *rest, last = re.split(r"(?<=[.?]) ", question)
    total = int(re.search(r"had (\d+) ", first)[1])
    for sentence in rest:
        size = int(re.search(r"\d+", sentence)[0])
        gained = sentence.endswith(" more.")
        assert gained or re.search(r"^(?:She|He) (?:lost|gave) ", sentence), sentence
        total += size if gained else -size
    assert last.startswith("How many ") and last.endswith(" in the end?")
    return total


@pytest.mark.parametrize("split", ["train", "held_out"])
@pytest.mark.parametrize("n_terms", [2, 3, 6])
@pytest.mark.parametrize(
    ("style", "value"), [("symbols", _value_of_symbols), ("words", _value_of_words)]
)
def test_answers_recomputed_from_the_text(split, n_terms, style, value):
    for problem in problems(300, 1, split, n_terms=n_terms, style=style):
        assert value(problem.question) == problem.answer, problem.question
        equations = EQUATION.findall(problem.response(steps=True))
        assert len(equations) == n_terms - 1
        total = None
        for left, sign, right, result in equations:
            assert total in (None, int(left)), "a step starts from the result of the one before"
            total = int(result)
            assert int(left) + (1 if sign == "+" else -1) * int(right) == total >= 0
        assert total == problem.answer
        assert problem.response(steps=True).endswith(problem.response(steps=False))


def _pairs(split):
    pairs = set()
    for largest in (9, 99):
        for n_terms in (2, 4):
            for problem in problems(2000, 2, split, n_terms=n_terms, largest=largest):
                for left, _, right, _ in EQUATION.findall(problem.response(steps=True)):
                    pairs.add(frozenset((int(left), int(right))))
    return pairs


def test_no_pair_of_numbers_is_in_both_splits():
    train, held_out = _pairs("train"), _pairs("held_out")
    assert len(train) > 3000 and len(held_out) > 1000
    assert not train & held_out
    digits = set(range(1, 10))
    assert digits <= {n for pair in train for n in pair}, "every digit occurs in training"


def test_a_constant_answer_scores_little():
    found = majority_baseline(("sum", str(p.answer)) for p in problems(3000, 0))
    assert found["sum"][1] < 0.03


def test_the_singular_is_used_for_one():
    texts = [problem.question for problem in problems(3000, 0, largest=9, style="words")]
    assert any(re.search(r"had 1 \w+\.", text) for text in texts)
    assert not any(re.search(r"had 1 \w+s\.", text) for text in texts)


def test_combinations_are_running_totals():
    problem = Problem(id="", split="train", question="", terms=(5, -5, 3), answer=3)
    assert problem.combinations == ((5, 5), (0, 3))
    assert problem.steps() == ("5 - 5 = 0", "0 + 3 = 3")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_terms": 1}, "n_terms: expected at least 2, got 1"),
        ({"largest": 0}, "largest: expected at least 1, got 0"),
        ({"style": "roman"}, "style: expected one of"),
        ({"split": "test"}, "split: expected one of"),
        ({"largest": 1, "split": "held_out"}, "largest: expected enough numbers"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        arithmetic(Random(0), **arguments)
