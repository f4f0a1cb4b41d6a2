"""Chance: only ``random()`` is used, and every outcome is as likely as it should be."""

from collections import Counter
from random import Random

import pytest

from llm_course.data.tiny_world.chance import between, coin, generator, pick, pick_distinct


class Scripted(Random):
    """Gives the numbers of a list; any other method of choice would fail the tests."""

    def __init__(self, values):
        super().__init__(0)
        self.values = iter(values)

    def random(self):
        return next(self.values)

    def getrandbits(self, k):
        raise AssertionError("getrandbits is not promised to be used alike for ever")


def test_hand_worked_choices():
    assert pick(Scripted([0.0]), "abc") == "a" and pick(Scripted([0.999]), "abc") == "c"
    assert between(Scripted([0.5]), 1, 4) == 3
    assert coin(Scripted([0.49])) and not coin(Scripted([0.5]))
    assert pick_distinct(Scripted([0.9, 0.0]), "abc", 2) == ["c", "b"]


def test_the_largest_draw_stays_inside():
    largest = 1 - 2**-53
    for n in range(1, 3000):
        assert between(Scripted([largest]), 1, n) == n


def test_choices_are_even():
    rng = Random(0)
    counts = Counter("".join(pick_distinct(rng, "abcd", 2)) for _ in range(12_000))
    assert len(counts) == 12
    # 1,000 expected of each; chi-square with 11 degrees, 31.3 at 0.001.
    assert sum((n - 1000) ** 2 / 1000 for n in counts.values()) < 31.3


def test_generators_differ_by_key():
    values = {generator(*key).random() for key in [(0,), (1,), (0, 1), ("0", "story"), ("01",)]}
    assert len(values) == 5


def test_too_many():
    with pytest.raises(ValueError, match="expected at most 2, got 3"):
        pick_distinct(Random(0), "ab", 3)
