"""Stories: what the text says is what the state says; held-out pairs are apart."""

import re
from itertools import pairwise
from random import Random

import pytest

from llm_course.data.tiny_world.stories import stories, story
from llm_course.data.tiny_world.words import FEMININE, NAMES, OBJECTS

SPLITS = ("train", "held_out")


@pytest.mark.parametrize("level", [1, 2, 3, 4])
@pytest.mark.parametrize("split", SPLITS)
def test_text_replayed_gives_the_state(replay, level, split):
    for tale in stories(300, seed=7, split=split, level=level):
        told = replay(tale.text)
        assert told.people == tale.state.people, tale.text
        assert told.things == tale.state.things, tale.text
        assert told.adjectives == tale.state.adjectives, tale.text
        assert told.feelings == tale.state.feelings, tale.text


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_answers_follow_from_the_text(replay, level):
    n_questions = 0
    for tale in stories(300, seed=8, level=level):
        told = replay(tale.text)
        for question in tale.questions:
            answer = re.sub(r"^(?:in|at|on|by) the ", "", question.answer)
            assert told.answer(question.text) == answer, f"{tale.text} {question}"
            n_questions += 1
    assert n_questions > 1500, "the check above saw too few questions"


def test_the_checker_rejects_an_altered_story(replay):
    tale = next(s for s in stories(50, seed=1) if any(e.kind == "take" for e in s.events))
    taken = next(e.thing for e in tale.events if e.kind == "take")
    absent = re.sub(rf"(picked up|took|found|grabbed) the {taken}", r"\1 the moon", tale.text)
    with pytest.raises((AssertionError, KeyError)):
        replay(absent)


def _pairs(split):
    """Every person with every object of the same story, read from the text."""
    pairs = set()
    for tale in stories(3000, seed=3, split=split, level=2):
        words = set(re.findall(r"\w+", tale.text))
        pairs |= {(name, thing) for name in NAMES for thing in OBJECTS if {name, thing} <= words}
    return pairs


def test_no_person_object_pair_is_in_both_splits():
    train, held_out = _pairs("train"), _pairs("held_out")
    assert not train & held_out
    assert {name for name, _ in held_out} == {name for name, _ in train} == set(NAMES)
    assert {thing for _, thing in held_out} == {thing for _, thing in train} == set(OBJECTS)
    assert len(train) == 0.8 * len(NAMES) * len(OBJECTS), "every training pair should occur"


def test_pronouns_agree_with_the_person():
    found = 0
    for tale in stories(500, seed=5, level=3):
        sentences = re.split(r"(?<=[.!?]) ", tale.text)
        for before, sentence in pairwise(sentences):
            if match := re.search(r"^(?:[A-Z][a-z]+ )?(?:\w+ \w+, )?\b(She|He|she|he) ", sentence):
                found += 1
                named = [word for word in re.findall(r"\w+", before) if word in NAMES]
                if named:
                    assert len(named) == 1, f"{before} {sentence}"
                    assert (named[0] in FEMININE) == (match[1].lower() == "she"), sentence
    assert found > 100


def test_a_story_does_not_depend_on_how_many_are_made():
    assert list(stories(3, seed=2)) == list(stories(10, seed=2))[:3]
    assert next(stories(1, seed=2)).text != next(stories(1, seed=3)).text


def test_ids_are_unique():
    ids = [s.id for split in SPLITS for level in (1, 2) for s in stories(50, 0, split, level)]
    assert len(set(ids)) == len(ids)


def test_harder_stories_have_more_events_and_are_longer():
    lengths = [sum(len(s.text) for s in stories(100, 0, level=level)) for level in (1, 2, 3, 4)]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize(
    ("split", "level", "message"), [("test", 2, "split: expected"), ("train", 9, "level: expected")]
)
def test_wrong_arguments_are_named(split, level, message):
    with pytest.raises(ValueError, match=message):
        story(Random(0), split, level)
