"""A scrubber of three kinds, short enough to read at once: emails, IPv4 addresses, cards.

``scrub`` has more kinds, reports what it found, and is idempotent on any text; this one shows the
principle, a pattern for what a thing looks like and a check of whether it can be one.
"""

import re

from llm_course.data.privacy.luhn import has_valid_checksum
from llm_course.data.privacy.rules import digits_of

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
DOTTED = re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+){3}(?!\w|\.[0-9])")
NUMBER = re.compile(r"(?<![\w.-])[0-9](?:[ -]?[0-9])+(?!\w)")


def _address(match: re.Match[str]) -> str:
    """The mark, if each number fits in a byte."""
    fits = all(int(part) <= 255 for part in match.group().split("."))
    return "[IP]" if fits else match.group()


def _card(match: re.Match[str]) -> str:
    """The mark, for 13 to 19 digits with a valid checksum."""
    digits = digits_of(match.group())
    return "[CARD]" if 13 <= len(digits) <= 19 and has_valid_checksum(digits) else match.group()


def scrub_text(text: str) -> str:
    """The text with marks for emails, then IPv4 addresses, then card numbers.

    >>> scrub_text("Ask ada@example.com or 192.0.2.10, not 300.1.2.3.")
    'Ask [EMAIL] or [IP], not 300.1.2.3.'
    """
    return NUMBER.sub(_card, DOTTED.sub(_address, EMAIL.sub("[EMAIL]", text)))
