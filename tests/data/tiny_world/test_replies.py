"""Replies: the chosen one is better, and its length says nothing about it."""

import re
from random import Random

import pytest

from llm_course.data.tiny_world import replies
from llm_course.data.tiny_world.replies import reply_pair, reply_pairs

# Words that only one side uses; written down here, apart from the generator's lists.
POLITE = re.compile(r"Of course|Good question|glad to help|Thank you|pleasure|nice day|hope that|"
                    r"Please ask again|no trouble")  # fmt: skip
RUDE = re.compile(r"Not again|Stop asking|tired of|never listen|What a question|go away|"
                  r"not bother|silly|yourself")  # fmt: skip


def _right_content(prompt):
    """The answer to a prompt, worked out from its text."""
    if match := re.search(r"What is (\d+) ([+-]) (\d+)\?", prompt):
        sign = 1 if match[2] == "+" else -1
        return f"It is {int(match[1]) + sign * int(match[3])}."
    if match := re.match(r"\w+ left the \w+ (.*?)\. ", prompt):
        return f"It is {match[1]}."
    if match := re.match(r"(\w+) took the", prompt):
        return f"{match[1]} has it."
    return re.sub(r"^The \w+ is (\w+)\. .*", r"It is \1.", prompt)


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_chosen_is_polite_and_right(split):
    for pair in reply_pairs(1000, seed=4, split=split):
        right = _right_content(pair.prompt)
        assert pair.answer == right and right in pair.chosen, pair
        assert POLITE.search(pair.chosen) and not RUDE.search(pair.chosen), pair
        assert bool(RUDE.search(pair.rejected)) == (pair.differ != "content"), pair
        assert bool(POLITE.search(pair.rejected)) == (pair.differ == "content"), pair
        assert (right in pair.rejected) == (pair.differ == "manner"), pair


def test_lengths_do_not_give_the_choice_away():
    for polite, rude in (
        (replies.POLITE_OPENERS, replies.RUDE_OPENERS),
        (replies.POLITE_CLOSERS, replies.RUDE_CLOSERS),
    ):
        lengths = [sorted(len(phrase.split()) for phrase in side) for side in (polite, rude)]
        assert lengths[0] == lengths[1]
    pairs = list(reply_pairs(3000, seed=0))
    longer = sum(len(pair.chosen) > len(pair.rejected) for pair in pairs) / len(pairs)
    assert 0.42 < longer < 0.58


def test_no_combination_is_in_both_splits():
    train, held_out = (
        {frozenset(c) for pair in reply_pairs(2000, 1, split) for c in pair.combinations}
        for split in ("train", "held_out")
    )
    assert train and held_out and not train & held_out


def test_each_difference_is_a_third():
    found = [pair.differ for pair in reply_pairs(3000, seed=2)]
    assert all(880 < found.count(kind) < 1120 for kind in ("manner", "content", "both"))


def test_pairs_are_reproducible_and_named():
    assert list(reply_pairs(3, 5)) == list(reply_pairs(9, 5))[:3]
    assert len({pair.id for pair in reply_pairs(50, 5)}) == 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"split": "dev"}, "split: expected"), ({"differ": "length"}, "differ: expected one of")],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        reply_pair(Random(0), **arguments)
