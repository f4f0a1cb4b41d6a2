"""The error that a command shows as one line."""

import pytest

from llm_course.errors import CourseError


def test_message_is_what_the_reader_sees():
    with pytest.raises(CourseError) as caught:
        raise CourseError("SCALE: expected cpu or gpu, got 'tpu'. Fix: make book SCALE=cpu")
    assert str(caught.value) == "SCALE: expected cpu or gpu, got 'tpu'. Fix: make book SCALE=cpu"


@pytest.mark.parametrize("defect", [ValueError, TypeError, OSError, RuntimeError])
def test_is_neither_a_defect_nor_caught_as_one(defect):
    assert not issubclass(CourseError, defect), (
        f"`except {defect.__name__}` would swallow a message that is meant for the user"
    )
    assert not issubclass(defect, CourseError), f"{defect.__name__} would lose its traceback"
