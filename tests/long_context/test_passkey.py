"""Needles lie where they should, are asked for by name, and are scored digit for digit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.long_context.passkey import (
    HAY,
    longest_that_fits,
    multi_key_task,
    passkey_found,
    passkey_task,
)

SIZES = st.integers(1, 40)
DEPTHS = st.floats(0, 1)
SEEDS = st.integers(0, 50)


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=\.) ", text)


@given(SIZES, DEPTHS, SEEDS)
def test_the_passkey_lies_at_its_depth_and_nowhere_else(n, depth, seed):
    task = passkey_task(n, depth, seed)
    told = sentences(task.text)
    assert len(told) == n + 1
    assert told.index(f"The passkey is {task.answer}.") == round(depth * n)
    assert [s for s in told if s not in HAY] == [f"The passkey is {task.answer}."]
    assert re.findall(r"\d+", task.prompt) == [task.answer] and len(task.answer) == 5
    assert task.prompt.endswith("\nThe passkey is")


@given(SIZES, DEPTHS, SEEDS, st.integers(1, 16))
def test_of_several_keys_the_one_that_is_named_is_the_answer(n, depth, seed, n_keys):
    task = multi_key_task(n, depth, seed, n_keys)
    told = [s for s in sentences(task.text) if s not in HAY]
    assert len(told) == n_keys and len(set(told)) == n_keys
    facts = dict(re.fullmatch(r"The number of the (\w+) is (\d+)\.", s).groups() for s in told)
    assert len(facts) == n_keys, "no owner twice"
    asked = re.fullmatch(r"The number of the (\w+) is", task.question).group(1)
    assert facts.pop(asked) == task.answer
    assert sorted(facts.values()) == sorted(task.others)
    assert task.answer not in task.others
    before = sentences(task.text).index(f"The number of the {asked} is {task.answer}.")
    hay_before = sum(s in HAY for s in sentences(task.text)[:before])
    assert hay_before == round(depth * n)


def test_tasks_repeat_by_seed_and_differ_by_seed_while_depth_changes_the_place_only():
    assert passkey_task(9, 0.3, seed=4) == passkey_task(9, 0.3, seed=4)
    assert len({passkey_task(9, 0.3, seed=s).answer for s in range(40)}) > 35
    one, other = passkey_task(9, 0.0, seed=4), passkey_task(9, 1.0, seed=4)
    assert one.answer == other.answer
    assert sorted(sentences(one.text)) == sorted(sentences(other.text))
    assert passkey_task(9, 0.3, seed=4, n_digits=3).answer.isdigit()
    assert len(passkey_task(9, 0.3, seed=4, n_digits=3).answer) == 3


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (" 40718.", True), ("40718", True), ("The key is 40718, I think 1.", True),
        ("407181", False), ("140718", False), ("4071", False), ("", False), ("none", False),
        ("11111 or 40718", False), ("40 718", False),
    ],
)  # fmt: skip
def test_a_reply_is_right_if_its_first_number_is(reply, found):
    assert passkey_found(reply, "40718") is found


@given(st.integers(100, 4000), DEPTHS)
def test_the_longest_task_that_fits_cannot_be_longer(room, depth):
    def make(n):
        return passkey_task(n, depth, seed=1)

    task = longest_that_fits(make, len, room)
    assert len(task.prompt) <= room
    n = len(sentences(task.text)) - 1
    assert len(make(n + 1).prompt) > room


def test_bad_input_is_refused():
    for make in (passkey_task, multi_key_task):
        with pytest.raises(ValueError, match="n_sentences: expected 1 or more, got 0."):
            make(0, 0.5, 0)
        for depth in (-0.1, 1.1, float("nan")):
            with pytest.raises(ValueError, match="depth: expected 0 to 1, got"):
                make(3, depth, 0)
        with pytest.raises(ValueError, match="n_digits: expected 1 or more, got 0."):
            make(3, 0.5, 0, n_digits=0)
    for n_keys in (0, 17):
        with pytest.raises(ValueError, match=f"n_keys: expected 1 to 16, got {n_keys}."):
            multi_key_task(3, 0.5, 0, n_keys=n_keys)
    with pytest.raises(ValueError, match="n_tokens: expected room for .* the shortest task, got"):
        longest_that_fits(lambda n: passkey_task(n, 0.5, 0), len, 10)
    with pytest.raises(ValueError, match="answer: expected digits only, got 'blue'."):
        passkey_found("blue", "blue")
