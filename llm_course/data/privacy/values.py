"""Made-up personal data, and things that only look like it, for measuring the rules.

Nobody's data: addresses use the domains and networks that are reserved for documentation, phone
numbers mostly the ranges reserved for fiction, cards are random digits with a check digit.
Surnames and a part of the given names are unknown to the list that the rules use.
"""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from llm_course.data.privacy.luhn import has_valid_checksum, with_check_digit
from llm_course.data.privacy.names import GIVEN_NAMES
from llm_course.data.tiny_world.chance import between, coin, pick

SURNAMES = (
    "Abbott Alvarez Bauer Becker Bernard Castillo Diaz Dubois Evans Fischer Fontaine Garcia Haddad "
    "Hughes Ivanova Jansen Keller Kowalski Lambert Lopez Mancini Meyer Moreau Nakamura Novak "
    "Okafor Osei Pereira Petrov Rossi Sato Schmidt Silva Tanaka Turner Vasquez Weber Yilmaz Zhang"
)
UNLISTED_NAMES = (
    "Adaeze Anneliese Bogdan Ciaran Dagny Eoghan Ffion Gwendolyn Haruka Isidora Jarrah Kwame "
    "Lubomir Meera Nnamdi Oluwaseun Parvaneh Quentin Rosalind Siobhan Thandiwe Ulrike Wenceslas"
)
_SURNAMES, _UNLISTED = SURNAMES.split(), UNLISTED_NAMES.split()
_DOMAINS = ("example.com", "example.org", "mail.example.net", "example.co.uk", "uni.example")


def digits(rng: Random, n: int) -> str:
    """n random digits."""
    return "".join(str(between(rng, 0, 9)) for _ in range(n))


def name(rng: Random) -> str:
    """A full name; one in six has a given name that is not in the list."""
    given = pick(rng, _UNLISTED) if coin(rng, 1 / 6) else pick(rng, GIVEN_NAMES)
    surname = pick(rng, _SURNAMES)
    forms = [f"{given} {surname}"] * 6 + [
        f"{given} {pick(rng, 'ABCDEFGHJKLM')}. {surname}",
        f"{given} de {surname}",
        f"{given} {surname}-{pick(rng, _SURNAMES)}",
        f"{given} O'{surname}",
    ]
    return pick(rng, forms)


def email(rng: Random) -> str:
    """An address at a reserved domain (RFC 2606)."""
    given, surname = pick(rng, GIVEN_NAMES).lower(), pick(rng, _SURNAMES).lower()
    local = [f"{given}.{surname}", f"{given}_{digits(rng, 2)}", f"{given[0]}{surname}"]
    local += [f"{given}+news", f"{surname.upper()}", f"x-{given}%{digits(rng, 1)}"]
    return f"{pick(rng, local)}@{pick(rng, _DOMAINS)}"


def phone(rng: Random) -> str:
    """A number in one of the common ways to write it."""
    four, area = f"01{digits(rng, 2)}", f"{between(rng, 2, 9)}{digits(rng, 2)}"
    forms = [f"({area}) 555-{four}", f"{area}-555-{four}", f"{area}.555.{four}"]
    forms += [f"+1 {area} 555 {four}", f"+44 20 7946 0{digits(rng, 3)}", f"+1{area}555{four}"]
    forms += [f"01 99 00 {digits(rng, 2)} {digits(rng, 2)}", f"+33 1 99 00 {digits(rng, 2)} 12"]
    forms += [f"+49 30 23125 {digits(rng, 3)}", f"0049 30 23125{digits(rng, 3)}", f"555-{four}"]
    return pick(rng, forms)


def ipv4(rng: Random) -> str:
    """An address in the networks for documentation (RFC 5737) or in a private one."""
    network = pick(rng, ["192.0.2", "198.51.100", "203.0.113", f"10.{between(rng, 0, 255)}.7"])
    return f"{network}.{between(rng, 1, 254)}"


def ipv6(rng: Random) -> str:
    """An address in the network for documentation (RFC 3849), whole or shortened."""
    groups = [f"{between(rng, 1, 0xFFFF):x}" for _ in range(6)]
    forms = [":".join(["2001", "db8", *groups]), f"2001:db8::{groups[0]}"]
    forms += [f"2001:db8:{groups[0]}::{groups[1]}:{groups[2]}", f"fe80::{between(rng, 1, 99)}"]
    return pick(rng, [*forms, forms[0].upper()])


def card(rng: Random) -> str:
    """A number of 16 digits, or of 15 that starts with 37, with a valid checksum."""
    if coin(rng, 0.2):
        number = with_check_digit("37" + digits(rng, 12))
        return f"{number[:4]} {number[4:10]} {number[10:]}" if coin(rng) else number
    prefix = pick(rng, ["4", "51", "55", "2221", "6011"])
    number = with_check_digit(prefix + digits(rng, 15 - len(prefix)))
    separator = pick(rng, ["", " ", "-"])
    return separator.join(number[i : i + 4] for i in range(0, 16, 4))


def order_number(rng: Random) -> str:
    """16 digits of an order, most with an invalid checksum: one in ten is valid by chance."""
    return str(between(rng, 1, 9)) + digits(rng, 15)


def mistyped_card(rng: Random) -> str:
    """A card number with one wrong digit: Luhn's checksum notices every one."""
    number = card(rng).replace(" ", "").replace("-", "")
    place = between(rng, 1, len(number) - 2)
    wrong = str((int(number[place]) + between(rng, 1, 9)) % 10)
    spoiled = number[:place] + wrong + number[place + 1 :]
    if has_valid_checksum(spoiled):
        raise ArithmeticError(f"{spoiled}: one wrong digit left the checksum valid.")
    return spoiled


def date(rng: Random) -> str:
    """A date."""
    year, month, day = between(rng, 1950, 2030), between(rng, 1, 12), between(rng, 1, 28)
    forms = [f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{day}/{month}/{year}"]
    return pick(rng, forms)


def version(rng: Random) -> str:
    """A version of three parts, or of four, which no rule can tell from an address."""
    parts = [str(between(rng, 0, 30)) for _ in range(4 if coin(rng, 0.2) else 3)]
    return ".".join(parts)


def time(rng: Random) -> str:
    """A time of day with seconds."""
    return f"{between(rng, 0, 23):02}:{between(rng, 0, 59):02}:{between(rng, 0, 59):02}"


def isbn(rng: Random) -> str:
    """Thirteen digits in the groups of a book's number."""
    return f"978-{digits(rng, 1)}-{digits(rng, 4)}-{digits(rng, 4)}-{digits(rng, 1)}"


def amount(rng: Random) -> str:
    """A number with separators of thousands."""
    return f"{between(rng, 1, 999)},{digits(rng, 3)},{digits(rng, 3)}.{digits(rng, 2)}"


def expression(rng: Random) -> str:
    """Code with the marks of addresses."""
    return pick(rng, ["weights@x.T", "std::vector", "a::b::c", "@dataclass", "dead::beef", "x@y"])


def place(rng: Random) -> str:
    """Words that are names elsewhere; some follow a given name, as a surname would."""
    places = ["Victoria Station", "San Diego", "the river Jordan", "Paris", "Diego Garcia Island"]
    places += ["Rose Garden", "St Paul", "Charlotte", "Lake Louise", "a rose", "Santiago"]
    return pick(rng, places)


Maker = Callable[[Random], str]
PERSONAL: Mapping[str, Maker] = MappingProxyType(
    {"email": email, "card": card, "ipv6": ipv6, "ipv4": ipv4, "phone": phone, "name": name}
)
HARMLESS: Mapping[str, Maker] = MappingProxyType(
    {
        "order_number": order_number,
        "mistyped_card": mistyped_card,
        "date": date,
        "version": version,
        "time": time,
        "isbn": isbn,
        "amount": amount,
        "expression": expression,
        "place": place,
    }
)
