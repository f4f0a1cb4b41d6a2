"""Narration: good English in every sentence, by rules that any reader can check."""

import re
from random import Random

from llm_course.data.tiny_world.narration import Narrator, narrate, predicate
from llm_course.data.tiny_world.state import Event, World
from llm_course.data.tiny_world.stories import stories


def test_sentences_are_well_formed():
    for tale in stories(1000, seed=11, level=3):
        text = tale.text
        assert "  " not in text and "{" not in text and text[-1] in ".!?"
        for sentence in re.split(r"(?<=[.!?]) ", text):
            assert sentence[0].isupper() or sentence[0] == '"' or sentence.startswith("said"), text
        for article, word in re.findall(r"\b([Aa]n?) (\w+)", text):
            assert (article.lower() == "an") == (word[0] in "aeiou"), f"{article} {word}"


def test_one_prepositon_for_each_place():
    seen = {}
    for tale in stories(1000, seed=12):
        for preposition, place in re.findall(r"\b(in|at|on|by) the (\w+)", tale.text):
            if place not in ("distance", "end", "story"):
                assert seen.setdefault(place, preposition) == preposition, place


def test_a_gift_ends_what_a_pronoun_means():
    people = {"Anna": "park", "Clara": "park"}
    for seed in range(200):
        narrator = Narrator(Random(seed), people)
        told = narrator.tell(
            [Event("give", "Anna", "ball", "Clara"), Event("go", "Anna", "", "lake")]
        )
        assert not re.search(r"\b[Ss]he\b", " ".join(told)), "she could be Anna or Clara"


def test_there_follows_a_walk():
    texts = set()
    for seed in range(300):
        chain = [Event("go", "Anna", target="lake"), Event("drop", "Anna", "ball")]
        texts.add(" ".join(Narrator(Random(seed), {"Anna": "park"}).tell(chain)))
    joined = [text for text in texts if " to the lake and " in text]
    assert any("left the ball there." in text for text in joined)
    assert not any(re.search(r"to the lake and \w+ the ball by the lake", t) for t in joined)


def test_predicate_says_where():
    event = Event("drop", "Anna", "ball")
    said = {predicate(Random(seed), event, "in the park") for seed in range(60)}
    assert "left the ball in the park" in said and "put down the ball" in said


def test_the_same_generator_tells_the_same_story():
    world = World({"Anna": "park"}, {"ball": "park"}, {"ball": "red"})
    chain = [Event("take", "Anna", "ball")]
    assert narrate(Random(4), world, chain) == narrate(Random(4), world, chain)
