"""Splits: a fifth is held out, for every word, and casts are on one side."""

from itertools import combinations
from random import Random
from zlib import crc32

import pytest

from llm_course.data.tiny_world.splits import (
    cast,
    check_split,
    combination_split,
    pair_split,
    partners,
)
from llm_course.data.tiny_world.words import COLOURS, NAMES, OBJECTS, THINGS


def test_each_name_and_object_is_held_out_in_a_fifth_of_its_pairs():
    for name in NAMES:
        assert [pair_split(name, thing) for thing in OBJECTS].count("held_out") == 12
    for thing in OBJECTS:
        assert [pair_split(name, thing) for name in NAMES].count("held_out") == 8


def test_about_a_fifth_of_number_pairs_is_held_out():
    splits = [combination_split(a, b) for a, b in combinations(range(100), 2)]
    assert 0.17 < splits.count("held_out") / len(splits) < 0.23


def test_order_does_not_count():
    assert all(
        combination_split(a, b) == combination_split(b, a) for a in range(40) for b in range(40)
    )


def test_the_rule_is_a_standard_checksum():
    for a, b in ((3, 5), (40, 7), ("ball", "red")):
        key = " ".join(sorted((str(a), str(b)))).encode()
        assert combination_split(a, b) == ("train" if crc32(key) % 5 else "held_out")


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_a_cast_is_on_one_side(split):
    rng = Random(0)
    for _ in range(500):
        people, things = cast(rng, 4, 8, split)
        assert len(set(people)) == 4 and len(set(things)) == 8
        assert {pair_split(p, t) for p in people for t in things} == {split}


def test_partners_are_complementary_and_leave_enough_colours():
    for thing in THINGS:
        train, held_out = (partners(thing, COLOURS, split) for split in ("train", "held_out"))
        assert sorted(train + held_out) == sorted(COLOURS)
        assert len(train) >= 6, f"{thing}: a story of six objects needs six colours"


@pytest.mark.parametrize(("n_people", "n_objects"), [(0, 1), (5, 1), (1, 0), (1, 9)])
def test_cast_out_of_range(n_people, n_objects):
    with pytest.raises(ValueError, match="cast: expected 1-4 people and 1-8 objects"):
        cast(Random(0), n_people, n_objects, "train")


def test_unknown_split():
    with pytest.raises(ValueError, match="split: expected one of"):
        check_split("validation")
