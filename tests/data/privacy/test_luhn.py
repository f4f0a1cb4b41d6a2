"""Luhn's checksum: published numbers, and the errors it must notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.privacy.luhn import has_valid_checksum, luhn_sum, with_check_digit

DIGITS = st.text(st.sampled_from("0123456789"), min_size=1, max_size=19)


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "79927398713"],
)
def test_numbers_published_for_testing(number):
    assert has_valid_checksum(number)
    assert with_check_digit(number[:-1]) == number


@given(DIGITS)
def test_against_the_definition_digit_by_digit(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled // 10 + doubled % 10
    assert luhn_sum(digits) == total


@given(DIGITS, st.data())
def test_one_wrong_digit_is_always_noticed(digits, data):
    number = with_check_digit(digits)
    place = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert has_valid_checksum(number)
    assert not has_valid_checksum(number[:place] + other + number[place + 1 :])


@given(DIGITS, st.data())
def test_two_exchanged_neighbours_are_noticed_except_0_and_9(digits, data):
    number = with_check_digit(digits)
    place = data.draw(st.integers(0, len(number) - 2))
    one, two = number[place], number[place + 1]
    swapped = number[:place] + two + one + number[place + 2 :]
    assert has_valid_checksum(swapped) == (one == two or {one, two} == {"0", "9"})


@pytest.mark.parametrize("text", ["", "12a", "１２", "1 2"])
def test_only_ascii_digits(text):
    with pytest.raises(ValueError, match="digits: expected only 0 to 9"):
        luhn_sum(text)
