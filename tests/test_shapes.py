"""Shape checks and their messages."""

import pytest
import torch

from llm_course.shapes import ShapeError, check_shape


def test_returns_the_size_of_each_letter():
    assert check_shape(torch.zeros(2, 4, 3, 6), "b h k d", "key") == {
        "b": 2,
        "h": 4,
        "k": 3,
        "d": 6,
    }


def test_leading_axes_may_be_left_open():
    assert check_shape(torch.zeros(5, 7, 3, 6), "... t d", "x", d=6) == {"t": 3, "d": 6}
    assert check_shape(torch.zeros(3, 6), "... t d", "x") == {"t": 3, "d": 6}


def test_sizes_that_the_pattern_does_not_name_are_ignored():
    assert check_shape(torch.zeros(3), "t", "positions", t=3, b=9) == {"t": 3}


def test_a_scalar_has_no_axes():
    with pytest.raises(ShapeError, match=r"^x: expected 1 axes \(t\), got shape \(\)\.$"):
        check_shape(torch.tensor(1.0), "t", "x")


@pytest.mark.parametrize(
    ("shape", "pattern", "sizes", "message"),
    [
        (
            (2, 4, 3, 6),
            "b h k d",
            {"d": 8},
            "key: expected d=8, got 6 in shape (2, 4, 3, 6) (b h k d).",
        ),
        ((2, 3), "b h k d", {}, "key: expected 4 axes (b h k d), got shape (2, 3)."),
        ((2, 3, 4), "q k", {}, "key: expected 2 axes (q k), got shape (2, 3, 4)."),
        ((3,), "... t d", {}, "key: expected 2 axes (... t d), got shape (3,)."),
        ((9, 3, 6), "... t d", {"t": 4}, "key: expected t=4, got 3 in shape (9, 3, 6) (... t d)."),
        ((0, 3), "b t", {"b": 1}, "key: expected b=1, got 0 in shape (0, 3) (b t)."),
    ],
)
def test_message_shows_name_letter_sizes_and_shape(shape, pattern, sizes, message):
    with pytest.raises(ShapeError) as caught:
        check_shape(torch.zeros(shape), pattern, "key", **sizes)
    assert str(caught.value) == message


def test_is_a_value_error():
    assert issubclass(ShapeError, ValueError)
