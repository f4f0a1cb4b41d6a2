"""Luhn's checksum, which tells the number of a payment card from nine of ten other numbers.

Source:
    ISO/IEC 7812-1, annex B; US patent 2,950,048 (Luhn, 1960).
"""


def luhn_sum(digits: str) -> int:
    """The sum from the right: every second digit doubled, and 9 taken from what exceeds 9.

    Raises:
        ValueError: there is something else than the digits 0 to 9.

    >>> luhn_sum("18")  # 8 + 2·1
    10
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"digits: expected only 0 to 9, got {digits!r}.")
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = [int(digit) for digit in reversed(digits)]
    return sum(values[0::2]) + sum(doubled[value] for value in values[1::2])


def has_valid_checksum(digits: str) -> bool:
    """Whether the sum is divisible by 10.

    >>> has_valid_checksum("4111111111111111"), has_valid_checksum("4111111111111112")
    (True, False)
    """
    return luhn_sum(digits) % 10 == 0


def with_check_digit(digits: str) -> str:
    """The number with the one last digit that makes its checksum valid.

    >>> with_check_digit("7992739871")
    '79927398713'
    """
    return digits + str(-luhn_sum(digits + "0") % 10)
