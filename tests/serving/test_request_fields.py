"""Whatever JSON there is, a field is what it should be or an error with its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.serving.api_errors import ApiError
from llm_course.serving.request_fields import RequestFields, checked_text, shown

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def attempt(read):
    """What a reader gives, or the parameter that it names."""
    try:
        return read(), None
    except ApiError as error:
        assert error.status == 400 and error.message.startswith("x: ") and len(error.message) < 250
        return None, error.param


@given(JSON)
def test_a_field_is_what_it_should_be_or_refused_by_name(value):
    made = {
        int: attempt(lambda: RequestFields({"x": value}).integer("x", 3, low=-5, high=5)),
        float: attempt(lambda: RequestFields({"x": value}).number("x", 3.0, low=-5, high=5)),
        bool: attempt(lambda: RequestFields({"x": value}).flag("x")),
        str: attempt(lambda: RequestFields({"x": value}).text("x")),
    }
    for kind, (found, param) in made.items():
        assert (type(found) is kind and param is None) or (found is None and param == "x")
        if kind in (int, float) and found is not None:
            assert -5 <= found <= 5
    assert sum(param is None for _, param in made.values()) <= 3


@pytest.mark.parametrize("value", [None, [], 3, "text"])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(ApiError, match="expected a JSON object"):
        RequestFields(value)


def test_a_bound_may_be_excluded():
    assert RequestFields({"p": 0}).number("p", 1.0, low=0, high=1) == 0
    with pytest.raises(ApiError, match="more than 0 to 1"):
        RequestFields({"p": 0}).number("p", 1.0, low=0, high=1, low_itself=False)


def test_what_asks_for_nothing_may_be_given_and_all_else_not():
    fields = RequestFields({"echo": False, "tools": [], "suffix": None})
    fields.only(echo=False, tools=[], suffix="")
    fields.refuse_others()
    for value in (0, True, "no"):  # 0 == False, but is none
        with pytest.raises(ApiError, match="echo: expected False"):
            RequestFields({"echo": value}).only(echo=False)


def test_half_a_surrogate_pair_is_no_text():
    with pytest.raises(ApiError, match="half of a surrogate pair"):
        checked_text("x", "\ud800")
    assert shown("\ud800").isascii()
