"""Words: no word means two things, and the rules of English hold for every noun."""

import re

import pytest

from llm_course.data.tiny_world.words import (
    COLOURS,
    FEMININE,
    FOOD_ADJECTIVES,
    FOODS,
    NAMES,
    OBJECTS,
    PLACES,
    THINGS,
    at,
    count_of,
    listing,
    plural,
    subject_pronoun,
    with_article,
)

PLURALS = re.findall(
    r"\w+",
    "balls books cups hats keys lamps maps pens rings ropes shoes spoons stones umbrellas vases "
    "whistles baskets bells blankets bottles boxes brushes buckets buttons candles coats coins "
    "combs drums flags flutes gloves hammers kites ladders knives mirrors mugs needles pillows "
    "puzzles scarves shells envelopes axes apples bananas carrots cookies eggs lemons melons "
    "onions peaches pears pies potatoes sandwiches tomatoes berries",
)


def test_every_plural():
    assert [plural(noun) for noun in OBJECTS] == PLURALS


def test_lists_do_not_overlap():
    lists = (NAMES, OBJECTS, tuple(PLACES), COLOURS, FOOD_ADJECTIVES)
    words = [word for some in lists for word in some]
    assert len(set(words)) == len(words), "a word in two lists would make the state ambiguous"
    assert not set(PLURALS) & set(words)
    assert set(THINGS) | set(FOODS) == set(OBJECTS)


def test_sizes_divide_evenly_among_the_classes_of_the_split():
    assert len(NAMES) == 40 and len(OBJECTS) == 60 and len(PLACES) == 25
    for k in range(5):
        assert 0 < len(FEMININE & set(NAMES[k::5])) < 8, "each class has both genders"
        assert set(OBJECTS[k::5]) & set(FOODS), "each class has food"


@pytest.mark.parametrize("noun", OBJECTS + COLOURS + FOOD_ADJECTIVES)
def test_articles(noun):
    # All vowel letters that open a word of this world are spoken as vowels (no "uniform", "hour").
    an = {"umbrella", "envelope", "axe", "apple", "egg", "onion"}
    assert with_article(noun) == f"{'an' if noun in an else 'a'} {noun}"


def test_phrases():
    assert count_of(0, "egg") == "0 eggs" and count_of(1, "egg") == "1 egg"
    assert listing(["Anna", "Ben"]) == "Anna and Ben"
    assert at("river") == "by the river"
    assert [subject_pronoun(name) for name in ("Zoe", "Walter")] == ["she", "he"]
