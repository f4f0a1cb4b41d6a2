"""Made-up values: of the form they claim, checked by other means than the rules."""

import ipaddress
import re
from datetime import date as Date
from random import Random

import pytest

from llm_course.data.privacy import values
from llm_course.data.privacy.names import GIVEN_NAMES

N = 300


def made(maker, n=N):
    return [maker(Random(number)) for number in range(n)]


def test_addresses_are_valid_and_reserved():
    assert all(ipaddress.IPv4Address(value).is_private for value in made(values.ipv4))
    network = ipaddress.IPv6Network("2001:db8::/32")
    for value in made(values.ipv6):
        address = ipaddress.IPv6Address(value)
        assert address in network or address.is_link_local
    hosts = {value.split("@")[1] for value in made(values.email)}
    assert all(re.fullmatch(r"(.+\.)?example(\.\w+)*", host) for host in hosts)


def slow_luhn(number):
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled // 10 + doubled % 10
    return total % 10 == 0


def test_cards_have_a_valid_checksum_and_mistyped_ones_have_not():
    for number in made(values.card):
        plain = re.sub("[ -]", "", number)
        assert len(plain) in (15, 16) and slow_luhn(plain)
    assert not any(map(slow_luhn, made(values.mistyped_card)))
    share = sum(map(slow_luhn, made(values.order_number, 2000))) / 2000
    assert 0.07 < share < 0.13, "one in ten by chance"


def test_dates_exist():
    for value in made(values.date):
        numbers = list(map(int, re.split(r"\D", value)))
        year, month, day = numbers if "-" in value else reversed(numbers)
        assert Date(year, month, day)


def test_some_names_are_not_in_the_list():
    listed = sum(value.split()[0] in GIVEN_NAMES for value in made(values.name, 1000)) / 1000
    assert 0.79 < listed < 0.88, "five of six"


@pytest.mark.parametrize("kind", [*values.PERSONAL, *values.HARMLESS])
def test_a_seed_gives_the_same_value(kind):
    maker = {**values.PERSONAL, **values.HARMLESS}[kind]
    assert made(maker, 20) == made(maker, 20)
    assert len(set(made(maker))) > 5
