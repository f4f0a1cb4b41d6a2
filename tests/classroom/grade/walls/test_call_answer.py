"""What came back is read as data."""

import pytest
import torch

from llm_course.classroom.grade.walls.call_answer import AnswerFailed, value_of
from llm_course.classroom.grade.walls.wire import dumps


def test_a_value_and_changed_arguments():
    values, tensor = [1], torch.zeros(2)
    answer = dumps(("value", 5, {0: [1, 2], "x": torch.ones(2)}))
    assert value_of("f", answer, {0: values, "x": tensor}) == 5
    assert values == [1, 2] and tensor.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["ValueError", "Exception"], ValueError),
        (["Own", "KeyError"], KeyError),
        (["SystemExit"], RuntimeError),
        (["UnicodeDecodeError", "ValueError"], ValueError),
        (["print"], RuntimeError),
        ([], RuntimeError),
    ],
)
def test_only_built_in_exceptions_are_raised(kinds, expected):
    with pytest.raises(expected, match="why") as caught:
        value_of("f", dumps(("error", kinds, "why")), {})
    assert type(caught.value) is expected and caught.value.from_answer


@pytest.mark.parametrize(
    "answer",
    [
        "nonsense",
        dumps(5),
        dumps(("value",)),
        dumps(("value", 1, {7: [1]})),
        dumps(("value", 1, {0: "text"})),
        dumps(("other", 1)),
        dumps(("unsendable", "an object")),
        dumps(()),
    ],
)
def test_what_cannot_be_used_is_a_failed_answer(answer):
    with pytest.raises(AnswerFailed):
        value_of("f", answer, {0: [1]})
