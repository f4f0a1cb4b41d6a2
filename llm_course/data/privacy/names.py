"""A list of given names, and the rule that finds people by it.

A name is found when a listed given name, capitalised, is followed by another capitalised word; a
given name alone is too often something else (*Rose*, *Will*, *Jordan*). The rule misses every name
that is not in the list, and takes *Victoria Station* for a person: its precision and recall are
measured, not assumed. Pass a longer list for real use.
"""

from collections.abc import Collection

import regex

_LISTED = (
    "Ada Adam Agnes Ahmed Aisha Alan Albert Alejandro Alex Alice Ali Amelia Amina Amy Ana Andrea "
    "Andrew Anita Anna Anne Antoine Antonio Aryan Barbara Beatriz Ben Bruno Camille Carla Carlos "
    "Carmen Caroline Charles Charlotte Chen Chloe Christine Claire Clara Daniel Daria David "
    "Deepak Diana Diego Dmitri Edward Elena Elizabeth Emily Emma Eric Erik Eva Fatima Felix "
    "Fernando Francesca Frank Gabriel George Giulia Grace Greta Hannah Hans Harry Hassan Helen "
    "Henry Hugo Ibrahim Ines Ingrid Isabel Ivan Jack Jacob James Jane Javier Jean Jessica Joan "
    "John Jonas Jordan Jorge Joseph Juan Julia Julie Karen Karl Kate Katherine Kenji Kevin Khalid "
    "Laura Lea Leila Lena Leo Linda Lisa Louis Louise Lucas Lucia Luis Luke Maria Marie Mario "
    "Mark Marta Martin Mary Mateo Matthew Maya Mehmet Mei Michael Miguel Mohammed Monica Nadia "
    "Natalia Nicolas Nina Noah Nora Oliver Olivia Omar Oscar Pablo Patricia Paul Pedro Peter "
    "Philip Pierre Priya Rachel Rafael Rahul Rebecca Ricardo Richard Robert Roberto Rosa Rose "
    "Ruth Sam Samir Samuel Sandra Sara Sarah Sergei Simon Sofia Sophie Stefan Susan Sven Tariq "
    "Teresa Thomas Tom Ursula Valentina Victor Victoria Vikram William Yasmin Yuki Yusuf Zoe"
)
GIVEN_NAMES = tuple(_LISTED.split())
"""About 200 given names of many places; the list is short on purpose, and fixed."""

_PARTICLE = r"(?:(?:de la|de|del|van der|van|von|al|el|bin|da|di|le|la)[ ])?"
_SURNAME = r"(?:[OD]['’])?\p{Lu}\p{L}{0,30}\p{Ll}(?:-\p{Lu}\p{L}{1,30})?"


def name_pattern(given_names: Collection[str]) -> regex.Pattern[str]:
    """The pattern of *Given [Given | initial] [particle] Surname*.

    >>> name_pattern(["Ada"]).search("by Ada Lovelace in 1843").group()
    'Ada Lovelace'
    """
    if not given_names:
        return regex.compile(r"(?!)")
    listed = "|".join(regex.escape(name) for name in sorted(given_names, key=len, reverse=True))
    middle = rf"(?:(?:{listed}|[A-Z]\.)[ ]){{0,2}}"
    return regex.compile(rf"(?<![\w@.-])(?:{listed})[ ]{middle}{_PARTICLE}{_SURNAME}(?![\w@])")
