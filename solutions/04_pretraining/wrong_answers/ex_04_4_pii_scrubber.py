"""Plausible wrong answers to ex-04-4, a scrubber for personal data."""

import re

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
DOTTED = re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+){3}(?!\w|\.[0-9])")
NUMBER = re.compile(r"(?<![\w.-])[0-9](?:[ -]?[0-9])+(?!\w)")


def _digits(text):
    return [int(c) for c in text if c.isdigit()]


def _luhn(digits):
    doubled = [2 * d - 9 if d > 4 else 2 * d for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_card(text):
    digits = _digits(text)
    return 13 <= len(digits) <= 19 and _luhn(digits)


def _is_address(text):
    return all(int(part) <= 255 for part in text.split("."))


def _marked(mark, check):
    return lambda match: mark if check(match.group()) else match.group()


def _scrubbed(text, is_address=_is_address, is_card=_is_card):
    text = EMAIL.sub("[EMAIL]", text)
    text = DOTTED.sub(_marked("[IP]", is_address), text)
    return NUMBER.sub(_marked("[CARD]", is_card), text)


def patterns_alone(text):
    """No checks: versions become addresses, and every long number a card."""
    return _scrubbed(text, lambda found: True, lambda found: len(_digits(found)) >= 13)


def doubled_from_the_left(text):
    """The first digit is doubled and every second after it: right for 16 digits, not for 15."""

    def check(found):
        digits = _digits(found)
        doubled = [2 * d - 9 if d > 4 else 2 * d for d in digits[0::2]]
        return 13 <= len(digits) <= 19 and (sum(doubled) + sum(digits[1::2])) % 10 == 0

    return _scrubbed(text, is_card=check)


def last_digit_doubled(text):
    """The doubling begins with the check digit itself."""

    def check(found):
        digits = _digits(found)
        doubled = [2 * d - 9 if d > 4 else 2 * d for d in digits[-1::-2]]
        return 13 <= len(digits) <= 19 and (sum(digits[-2::-2]) + sum(doubled)) % 10 == 0

    return _scrubbed(text, is_card=check)


def nine_not_taken(text):
    """Doubled digits are added as they are, 16 as 16."""

    def check(found):
        digits = _digits(found)
        total = sum(digits[-1::-2]) + 2 * sum(digits[-2::-2])
        return 13 <= len(digits) <= 19 and total % 10 == 0

    return _scrubbed(text, is_card=check)


def separators_counted(text):
    """Spaces and hyphens count towards the 13 to 19."""
    return _scrubbed(text, is_card=lambda f: 13 <= len(f) <= 19 and _luhn(_digits(f)))


def sixteen_digits_only(text):
    """A card has sixteen digits, always."""
    return _scrubbed(text, is_card=lambda f: len(_digits(f)) == 16 and _luhn(_digits(f)))


def any_length(text):
    """The checksum alone decides; one number in ten passes it."""
    return _scrubbed(text, is_card=lambda f: _luhn(_digits(f)))


def up_to_256(text):
    """256 is taken for the largest number of a byte."""
    return _scrubbed(text, is_address=lambda f: all(int(p) <= 256 for p in f.split(".")))


def first_number_only(text):
    """Only the first of the four numbers is looked at."""
    return _scrubbed(text, is_address=lambda f: int(f.split(".")[0]) <= 255)


def addresses_before_emails(text):
    """An email whose name looks like an address is broken up."""
    text = DOTTED.sub(_marked("[IP]", _is_address), text)
    return NUMBER.sub(_marked("[CARD]", _is_card), EMAIL.sub("[EMAIL]", text))


def first_match_only(text):
    """One replacement for each kind."""
    text = EMAIL.sub("[EMAIL]", text, count=1)
    text = DOTTED.sub(_marked("[IP]", _is_address), text, count=1)
    return NUMBER.sub(_marked("[CARD]", _is_card), text, count=1)


def removed_instead_of_marked(text):
    """The data is cut out, and the sentence with it."""
    text = EMAIL.sub("", text)
    text = DOTTED.sub(_marked("", _is_address), text)
    return NUMBER.sub(_marked("", _is_card), text)
