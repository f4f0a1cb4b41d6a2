"""Tests run against proxies as they would against functions."""

import pytest

from llm_course.classroom.grade.marking.assignment import Question, Test
from llm_course.classroom.grade.marking.trial import Proxy, TestAtFault, run_test, set_up
from llm_course.classroom.grade.walls.student_kernel import KernelGone
from llm_course.classroom.grade.walls.wire import WireError


def question(source="", hidden=False, withheld=()):
    """A question about `double`, with one test of two points."""
    test = Test(grade_id="test", points=2, source=source, hidden=hidden)
    return Question(
        grade_id="ex", title="Double", functions=("double",), solution="", stub="",
        tests=(test,), withheld=withheld,
    )  # fmt: skip


class Answers:
    """Stands in for the kernels: calls a function of the test's."""

    def __init__(self, function):
        self.function = function

    def call(self, question, name, arguments, named):
        assert name == "double"
        return self.function(*arguments, **named)


def result(source, function, *, hidden=False, withheld=(), space=None):
    asked = question(source, hidden, withheld)
    proxy = Proxy("double", asked, Answers(function))
    return run_test(asked.tests[0], {"double": proxy}, space or {})


def raising(error):
    def function(*_, **__):
        raise error

    return function


def test_a_passed_test_gives_its_points():
    found = result("assert double(3) == 6\nassert double(x=1) == 2", lambda x: 2 * x)
    assert found.passed and found.points == 2 and found.message == ""


def test_a_failed_test_gives_none_and_says_why():
    found = result("assert double(3) == 6, f'got {double(3)}'", lambda x: x)
    assert (found.points, found.message) == (0, "got 3")


def test_the_name_can_be_asked_for_and_called():
    assert result("assert callable(double) and double.__name__ == 'double'", lambda: 0).passed


def test_a_test_that_expects_an_exception_sees_it():
    source = "try: double(1)\nexcept ValueError: pass\nelse: raise AssertionError('no error')"
    assert result(source, raising(ValueError("x"))).passed
    assert result(source, lambda x: x).message == "no error"


def test_a_kernel_s_end_is_never_taken_for_an_expected_exception():
    source = "try: double(1)\nexcept Exception: pass"
    found = result(source, raising(KernelGone("timeout")))
    assert found.points == 0 and "did not finish in time" in found.message
    found = result("try: double(1)\nexcept BaseException: pass", raising(KernelGone("died")))
    assert found.points == 0


def test_an_argument_that_cannot_cross_is_the_test_s_fault_even_if_it_expects_an_error():
    source = "try: double(print)\nexcept ValueError: pass"
    with pytest.raises(TestAtFault, match="ex: "):
        result(source, raising(WireError("cannot cross")))


def test_calling_what_is_withheld_is_told():
    withheld = ("llm_course.numbers.double",)
    error = RuntimeError("withheld in grading: llm_course.numbers.double")
    found = result("double(1)", raising(error), hidden=True, withheld=withheld)
    assert "your answer calls llm_course.numbers.double" in found.message
    swallowed = "try: double(1)\nexcept RuntimeError: pass"
    assert "withheld in grading" in result(swallowed, raising(error), withheld=withheld).message


def test_a_forged_withheld_name_is_not_repeated():
    error = RuntimeError("withheld in grading: <script>")
    found = result("double(1)", raising(error), hidden=True, withheld=("a.b",))
    assert "script" not in found.message


def test_the_seed_is_set_after_the_set_up():
    space = set_up(["SCALE = 'cpu'\nSEED = 0", "import math\nprint('shown')"], 77)
    assert space["SEED"] == 77 and space["math"].pi > 3
    assert result("assert SEED == 77", lambda: 0, space=space).passed


def test_tests_do_not_see_each_other_s_names():
    space = {}
    assert result("left = 1", lambda: 0, space=space).passed
    assert space == {}
