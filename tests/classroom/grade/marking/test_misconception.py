"""An answer is matched with the catalogued mistake whose behaviour it shares."""

import math

import numpy as np
import pytest
import torch

from llm_course.classroom.grade.marking.assignment import Question, Test
from llm_course.classroom.grade.marking.misconception import inputs_of, misconception_of, same

TEST = "assert mean([1, 2, 6]) == 3\nassert mean([4]) == 4\nassert mean([1, 2]) == 1.5"
QUESTION = Question(
    grade_id="ex",
    title="Mean",
    functions=("mean",),
    solution="def mean(values):\n    return sum(values) / len(values)",
    stub="",
    tests=(Test(grade_id="test", points=1, source=TEST, hidden=True),),
)


def floor(values):
    return sum(values) // len(values)


def median(values):
    return sorted(values)[len(values) // 2]


def refuses(values):
    raise ValueError


WRONG = {"floor": ("Divides whole numbers.", floor), "refuses": ("Refuses.", refuses)}


def judged(function):
    return misconception_of(QUESTION, {"mean": function}, WRONG, {})


def test_the_inputs_are_all_calls_of_the_tests():
    assert len(inputs_of(QUESTION, {})) == 3


def test_an_answer_that_behaves_alike_is_recognised():
    assert judged(lambda values: int(sum(values) / len(values))) == (
        "floor",
        "Divides whole numbers.",
    )


def test_an_error_is_a_behaviour():
    def other(values):
        raise ValueError("for another reason")

    assert judged(other)[0] == "refuses"


def test_another_mistake_is_no_misconception():
    assert judged(median) == ("", "")
    assert judged(lambda values: (_ for _ in ()).throw(TypeError())) == ("", "")


@pytest.mark.parametrize(
    ("left", "right", "agree"),
    [
        (1, 1.0, True),
        (torch.ones(2), torch.ones(2) + 1e-6, True),
        (torch.ones(2), torch.ones(3), False),
        (torch.tensor([math.nan]), torch.tensor([math.nan]), True),
        (torch.tensor([True]), torch.tensor([False]), False),
        (torch.ones(2, dtype=torch.bfloat16), torch.ones(2), True),
        (np.ones(2), torch.ones(2), True),
        ([1, (2.0, "a")], [1, (2.0, "a")], True),
        ({"w": 1.0}, {"w": 2.0}, False),
        ({"w": 1.0}, {"v": 1.0}, False),
        ("a", 1, False),
        (True, 1, False),
        (None, None, True),
        (math.inf, math.inf, True),
    ],
)
def test_agreement(left, right, agree):
    assert same(left, right) is agree
