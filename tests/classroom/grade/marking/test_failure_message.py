"""Visible tests are quoted; of hidden ones only the author's words."""

import pytest

from llm_course.classroom.grade.marking.failure_message import ELSEWHERE, LONGEST, told
from llm_course.classroom.grade.walls.call_answer import AnswerFailed
from llm_course.classroom.grade.walls.student_kernel import KernelGone

NAME = "<test-07-1-hidden>"
SECRET = 0.123456


def failure(source, **space):
    """What a test raises."""
    try:
        exec(compile(source, NAME, "exec"), {"secret": SECRET, **space})
    except BaseException as error:
        return error
    raise AssertionError("expected a failure")


def messages(source, **space):
    """What is told about it, visible and hidden."""
    error = failure(source, **space)
    return [told(error, source, NAME, hidden=hidden) for hidden in (False, True)]


def test_values_in_a_hidden_message_are_left_out():
    source = "x = 1\nassert secret < 0, (\n    f'expected less than 0, got {secret:.3f}'\n)"
    visible, hidden = messages(source)
    assert visible == "expected less than 0, got 0.123"
    assert hidden == "expected less than 0, got …"


def test_concatenated_and_raised_messages_are_read_too():
    source = "if True:\n    raise AssertionError('a mask ' + str(secret) + ' was ignored')"
    assert messages(source)[1] == "a mask … was ignored"


def test_no_words_no_leak():
    assert messages("assert secret == 1")[1] == ELSEWHERE
    source = "import numpy as np\nnp.testing.assert_allclose(secret, 2, err_msg='m')"
    visible, hidden = messages(source)
    assert "0.123456" in visible and hidden == ELSEWHERE


def test_a_student_s_words_are_told_of_visible_tests_only():
    error = ValueError("I saw 0.123456")
    error.from_answer = True
    assert told(error, "", NAME, hidden=False) == "your function raised ValueError: I saw 0.123456"
    assert told(error, "", NAME, hidden=True) == "your function raised ValueError."
    failed = AnswerFailed("f returned what is not plain data: 0.123456")
    assert "0.123456" in told(failed, "", NAME, hidden=False)
    assert "0.123456" not in told(failed, "", NAME, hidden=True)


def test_a_stub_is_named():
    error = NotImplementedError("ex-07-1")
    error.from_answer = True
    assert told(error, "", NAME, hidden=True).startswith("not answered yet")


def test_an_unusable_result():
    visible, hidden = messages("secret.shape")
    assert "AttributeError: 'float' object has no attribute 'shape'" in visible
    assert hidden == "the test could not use what your function returned (AttributeError)."


@pytest.mark.parametrize("reason", ["timeout", "memory", "died"])
def test_an_ended_kernel_is_told_by_its_reason(reason):
    words = told(KernelGone(reason), "", NAME, hidden=True)
    assert words and words == told(KernelGone(reason), "", NAME, hidden=False)


def test_messages_are_capped():
    assert len(messages("assert False, 'x' * 10**6")[0]) <= LONGEST + 2
