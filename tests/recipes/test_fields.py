"""Fields of a recipe: each error says where, what was expected and what came."""

import re

import pytest

from llm_course.errors import CourseError
from llm_course.recipes.fields import Fields


@pytest.mark.parametrize(
    "value, arguments, wanted",
    [
        ("3", {"kind": int}, "expected an integer, got '3'"),
        (True, {"kind": int}, "expected an integer, got True"),
        (1, {"kind": bool}, "expected true or false, got 1"),
        (1.5, {"kind": int}, "expected an integer, got 1.5"),
        (0, {"kind": int, "least": 1}, "expected an integer of at least 1, got 0"),
        (float("nan"), {"kind": float, "least": 0}, "expected a number of at least 0, got nan"),
        ("x", {"kind": str, "choices": ("a", "b")}, "expected one of a, b, got 'x'"),
        ([], {"kind": dict}, r"expected a table, got \[\]"),
    ],
)
def test_a_value_that_does_not_fit(value, arguments, wanted):
    with pytest.raises(CourseError, match=rf"demo: key: {wanted}\. Fix: correct the recipe"):
        Fields({"key": value}, "demo").take("key", **arguments)


def test_a_value_that_is_missing():
    with pytest.raises(CourseError, match="demo: key: expected a string, got nothing"):
        Fields({}, "demo").take("key", str)


def test_an_integer_is_a_number():
    found = Fields({"key": 2}, "demo").take("key", float)
    assert found == 2.0 and type(found) is float


def test_lists_have_one_type():
    fields = Fields({"a": ["x"], "b": ["x", 1]}, "demo")
    assert fields.take_list("a", str) == ("x",)
    assert fields.take_list("c", str, None) is None
    with pytest.raises(CourseError, match=r"b: expected a list, each a string, got \['x', 1\]"):
        fields.take_list("b", str)


def test_what_is_not_taken_is_unknown():
    fields = Fields({"sede": 1}, "demo")
    fields.take("seed", int, 0)
    wanted = "demo: expected only the fields seed, got 'sede'. Fix: correct its name"
    with pytest.raises(CourseError, match=re.escape(wanted)):
        fields.finish()


def test_no_table():
    with pytest.raises(CourseError, match="demo: expected a table, got 3"):
        Fields(3, "demo")
