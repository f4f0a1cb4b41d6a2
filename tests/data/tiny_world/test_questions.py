"""Questions: exact on a world worked by hand, and balanced over many stories."""

from random import Random

from llm_course.data.tiny_world.baseline import majority_baseline
from llm_course.data.tiny_world.questions import QUESTIONS, ask
from llm_course.data.tiny_world.state import Event, World
from llm_course.data.tiny_world.stories import stories

# The share of the commonest answer that is allowed, by kind, over 3,000 stories.
CEILING = {
    "holder": 0.25,
    "where_person": 0.06,
    "where_object": 0.07,
    "how_many": 0.62,
    "yes_no": 0.55,
    "colour": 0.13,
    "feeling": 0.12,
    "first_taker": 0.05,
}


def test_hand_worked_answers():
    world = World({"Anna": "lake"}, {"ball": "Anna"}, {"ball": "red"}, {"Anna": "calm"})
    chain = [Event("take", "Anna", "ball"), Event("go", "Anna", target="lake")]
    answers = {question.kind: question for question in ask(Random(0), world, chain) if question}
    expected = {
        "holder": "Anna",
        "where_person": "by the lake",
        "where_object": "by the lake",
        "how_many": "one",
        "colour": "red",
        "feeling": "calm",
        "first_taker": "Anna",
    }
    assert {kind: answers[kind].answer for kind in expected} == expected
    assert answers["where_object"].hops == 2 and answers["where_person"].hops == 1


def test_what_cannot_be_asked_is_left_out():
    world = World(
        {"Anna": "lake", "Ben": "park"}, {"egg": "park"}, {"egg": "big"}, {"Anna": "calm"}
    )
    kinds = {question.kind for question in ask(Random(0), world, [])}
    assert kinds == {"where_person", "where_object", "feeling"}


def test_a_constant_answer_scores_little():
    for level in (1, 2, 3, 4):
        found = majority_baseline(
            (question.kind, question.answer)
            for tale in stories(3000, seed=21, level=level)
            for question in tale.questions
        )
        assert set(found) == set(QUESTIONS) == set(CEILING)
        for kind, (answer, share) in found.items():
            assert share < CEILING[kind], f"level {level}, {kind}: {answer} is {share:.2f}"
