"""Rules: what each finds, whole, and what only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.privacy.rules import digits_of, privacy_rules

RULES = privacy_rules()


def found(kind, text):
    rule = RULES[kind]
    return [match.group() for match in rule.pattern.finditer(text) if rule.check(match.group())]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "ada.lovelace+news@mail.example.co.uk"),
        ("email", "a@b.org"),
        ("email", "x_1%y-z@sub-domain.example.com"),
        ("ipv4", "192.0.2.255"),
        ("ipv4", "8.8.8.8"),
        ("ipv6", "2001:db8::7"),
        ("ipv6", "2001:0DB8:0000:0000:0008:0800:200C:417A"),
        ("ipv6", "fe80::1"),
        ("card", "4111 1111 1111 1111"),
        ("card", "5555-5555-5555-4444"),
        ("card", "378282246310005"),
        ("phone", "+44 20 7946 0958"),
        ("phone", "(555) 010-0123"),
        ("phone", "555-010-0123"),
        ("phone", "555.010.0123"),
        ("phone", "01 99 00 12 34"),
        ("phone", "+15550100123"),
        ("name", "Ada Lovelace"),
    ],
)
@pytest.mark.parametrize("frame", ["{}", "see {}.", "({}),", "<{}>", "é: {}; done", "“{}”!"])
def test_what_is_found_whole(kind, value, frame):
    assert found(kind, frame.format(value)) == [value]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "weights@x, @dataclass, a@b"),
        ("email", "a..b@example.com"[1:]),
        ("email", "user@@example.com"),
        ("ipv4", "1.2.3, 300.1.1.1, 1.2.3.4.5, 01.2.3.4, 127.0.0.1, 0.0.0.0"),
        ("ipv4", "version 4.2.1.10 and Version 1.2.3.4"),
        ("ipv6", "12:30:45, std::vector, a::b, dead::beef, ::, ::1, 1:2:3:4:5:6:7"),
        ("card", "4111 1111 1111 1112"),
        ("card", "41111111111111111111111"),
        ("phone", "2024-05-17, 17.05.2024, 100-120, 3.14159265, 978-3-16-148410-0"),
        ("phone", "1,234,567.89 and 123456789"),
        ("name", "Rose Garden"[5:]),
    ],
)
def test_what_only_looks_like_it(kind, text):
    assert found(kind, text) == []


@pytest.mark.parametrize("kind", RULES)
@given(text=st.text(st.characters() | st.sampled_from("0123456789.:@-+() abAda")))
def test_no_rule_fails_on_any_text_or_reads_a_bracket(kind, text):
    for value in found(kind, text):
        assert value and not set(value) & set("[]")


@given(st.text())
def test_digits_are_ascii(text):
    assert all(digit in "0123456789" for digit in digits_of(text))
    assert digits_of("１２3") == "3"
