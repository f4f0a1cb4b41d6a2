"""Rules that find personal data: a pattern, and a check of what it found.

A pattern alone takes version numbers for addresses and order numbers for cards; the check looks at
the number itself. All patterns are bounded in length, so that no text makes them slow, and look
only for ASCII digits. No pattern reads a square bracket, which is what replacements are made of.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from types import MappingProxyType

import regex

from llm_course.data.privacy.luhn import has_valid_checksum
from llm_course.data.privacy.names import GIVEN_NAMES, name_pattern


@dataclass(frozen=True)
class PrivacyRule:
    """What looks like one kind of personal data, and whether a match really is it."""

    pattern: re.Pattern[str] | regex.Pattern[str]
    check: Callable[[str], bool]


def digits_of(text: str) -> str:
    """The digits 0 to 9 in it.

    >>> digits_of("+1 (555) 01-23")
    '15550123'
    """
    return re.sub(r"[^0-9]", "", text)


_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?"
    rf"@(?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,24}}(?![A-Za-z0-9@-])"
)
# Four numbers after the word are a version: without the word, no rule can tell.
IPV4 = re.compile(r"(?<![\w.])(?<![Vv]ersion )[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}|:)(?::[0-9A-Fa-f]{0,4}){2,8}(?![\w:])")
CARD = re.compile(r"(?<![\w.,-])[2-6][0-9]{3}(?:[ -]?[0-9]){9,15}(?![\w-]|[.,][0-9])")
PHONE = re.compile(
    r"(?<![\w.,/+-])(?:"
    r"(?:\+|00)[1-9][0-9]{0,2}(?:[ .-]?(?:\([0-9]{1,4}\)|[0-9]{1,4})){2,5}"  # +44 20 7946 0958
    r"|\([0-9]{3}\)[ -]?[0-9]{3}[ .-][0-9]{4}"  # (555) 010-0123
    r"|[2-9][0-9]{2}([ .-])[0-9]{3}\1[0-9]{4}"  # 555-010-0123
    r"|0[1-9](?:[ .][0-9]{2}){4}"  # 01 99 00 12 34
    r")(?![\w/]|[.,-][0-9])"
)


def is_email(text: str) -> bool:
    """No two dots in a row before the @, and no more than 254 characters (RFC 5321)."""
    return len(text) <= 254 and ".." not in text


def is_ipv4(text: str) -> bool:
    """Four numbers up to 255 without leading zeros, and not an unspecified or a local host.

    >>> is_ipv4("192.0.2.10"), is_ipv4("300.1.1.1"), is_ipv4("127.0.0.1")
    (True, False, False)
    """
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def is_ipv6(text: str) -> bool:
    """A valid address with two groups or more and a digit: not ``::``, nor C++'s ``abc::def``.

    >>> is_ipv6("2001:db8::7"), is_ipv6("12:30:45"), is_ipv6("dead::beef")
    (True, False, False)
    """
    groups = [group for group in text.split(":") if group]
    if len(groups) < 2 or not any(map(str.isdigit, text)):
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def is_card(text: str) -> bool:
    """13 to 19 digits with a valid checksum (ISO/IEC 7812).

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
    (True, False)
    """
    digits = digits_of(text)
    return 13 <= len(digits) <= 19 and has_valid_checksum(digits)


def is_phone(text: str) -> bool:
    """8 to 15 digits: ITU-T E.164 allows 15.

    >>> is_phone("+44 20 7946 0958"), is_phone("+44 20 79")
    (True, False)
    """
    return 8 <= len(digits_of(text)) <= 15


def privacy_rules(given_names: Collection[str] = GIVEN_NAMES) -> Mapping[str, PrivacyRule]:
    """All rules, by kind, the most certain first: where two match, the first has its way.

    >>> list(privacy_rules())
    ['email', 'card', 'ipv6', 'ipv4', 'phone', 'name']
    """
    return MappingProxyType(
        {
            "email": PrivacyRule(EMAIL, is_email),
            "card": PrivacyRule(CARD, is_card),
            "ipv6": PrivacyRule(IPV6, is_ipv6),
            "ipv4": PrivacyRule(IPV4, is_ipv4),
            "phone": PrivacyRule(PHONE, is_phone),
            "name": PrivacyRule(name_pattern(given_names), bool),
        }
    )
