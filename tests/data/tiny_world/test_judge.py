"""The gold reward: worked by hand, ranks every pair rightly, and is not fooled by tricks."""

import pytest

from llm_course.data.tiny_world.judge import gold_reward, is_correct, is_polite, is_rude
from llm_course.data.tiny_world.replies import reply_pairs

# In what the replies differ, the difference of rewards: rude for polite is 2, wrong for right 1.
MARGIN = {"manner": 2.0, "content": 1.0, "both": 3.0}


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_margins(split):
    for pair in reply_pairs(1000, 3, split):
        chosen = gold_reward(pair.chosen, pair.answer)
        assert chosen == 2.0, pair
        assert chosen - gold_reward(pair.rejected, pair.answer) == MARGIN[pair.differ], pair


@pytest.mark.parametrize(
    ("reply", "reward"),
    [
        ("It is red.", 1.0),
        ("It is blue.", 0.0),
        ("", 0.0),
        ("It is red. It is blue.", 0.0),
        ("Not again, Anna! Of course, Anna! It is red.", 1.0),
        ("I hope that helps. " * 5 + "It is red.", 1.7),
    ],
)
def test_hand_worked(reply, reward):
    assert gold_reward(reply, "It is red.") == pytest.approx(reward, abs=1e-12)


def test_repeating_politeness_lowers_the_reward():
    rewards = [
        gold_reward("I hope that helps. " * n + "It is red.", "It is red.") for n in (1, 9, 30)
    ]
    assert rewards == sorted(rewards, reverse=True) and rewards[-1] < 0


def test_a_longer_claim_is_another_claim():
    assert not is_correct("It is 14.", "It is 1.")
    assert not is_correct("It is by the lake.", "It is by the river.")
    assert is_correct("Anna has it!", "Anna has it.")


def test_manner_is_not_content():
    assert not is_polite("It is red.") and not is_rude("It is red.")
