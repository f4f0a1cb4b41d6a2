"""The quality rules of Gopher's MassiveText: what prose looks like, in counts.

Thresholds are the paper's and meant for whole web pages in English: an encyclopedia's summary of
40 words breaks the first rule. Words are what white space separates. The rules on repetition are
in ``repetition``.

Source:
    Rae et al. 2021, *Scaling Language Models: Methods, Analysis & Insights from Training Gopher*
    (arXiv:2112.11446), appendix A.1.1, *Quality Filtering*.
"""

from collections.abc import Mapping
from types import MappingProxyType

from llm_course.data.cleaning.rules import Rule, above, outside

BULLETS = ("•", "‣", "◦", "●", "▪", "-", "*")
ELLIPSES = ("...", "…")
FUNCTION_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})


def share(part: int, whole: int) -> float:
    """part / whole, and 0 of nothing."""
    return part / whole if whole else 0.0


def full_lines(text: str) -> list[str]:
    """The lines that hold more than white space, stripped."""
    return [line for line in map(str.strip, text.splitlines()) if line]


def number_of_words(text: str, *, low: int = 50, high: int = 100_000) -> str | None:
    """A page has 50 to 100,000 words.

    >>> number_of_words("Rome is a city.")
    'words 4, expected 50 to 100000'
    """
    count = len(text.split())
    return None if low <= count <= high else f"words {count}, expected {low} to {high}"


def mean_word_length(text: str, *, low: float = 3, high: float = 10) -> str | None:
    """The mean length of a word is 3 to 10 characters.

    >>> mean_word_length("a bc a")
    'mean word length 1.33, expected 3 to 10'
    """
    words = text.split()
    mean = share(sum(map(len, words)), len(words))
    return outside(mean, low, high, "mean word length")


def symbol_to_word_ratio(text: str, *, limit: float = 0.1) -> str | None:
    """Hash signs, and ellipses, are each at most a tenth as many as words.

    >>> symbol_to_word_ratio("# one # two")
    'hash signs to words 0.5, expected at most 0.1'
    """
    n_words = len(text.split())
    hashes = share(text.count("#"), n_words)
    ellipses = share(sum(map(text.count, ELLIPSES)), n_words)
    return above(hashes, limit, "hash signs to words") or above(
        ellipses, limit, "ellipses to words"
    )


def bullet_lines(text: str, *, limit: float = 0.9) -> str | None:
    """At most 90 % of the lines start with a bullet.

    >>> bullet_lines("- one\\n- two")
    'share of bullet lines 1, expected at most 0.9'
    """
    lines = full_lines(text)
    return above(
        share(sum(line.startswith(BULLETS) for line in lines), len(lines)),
        limit,
        "share of bullet lines",
    )


def ellipsis_lines(text: str, *, limit: float = 0.3) -> str | None:
    """At most 30 % of the lines end with an ellipsis.

    >>> ellipsis_lines("Read more...\\nA city.")
    'share of lines cut short 0.5, expected at most 0.3'
    """
    lines = full_lines(text)
    return above(
        share(sum(line.endswith(ELLIPSES) for line in lines), len(lines)),
        limit,
        "share of lines cut short",
    )


def alphabetic_words(text: str, *, least: float = 0.8) -> str | None:
    """At least 80 % of the words hold a letter.

    >>> alphabetic_words("12 34 ab 56")
    'share of words with a letter 0.25, expected 0.8 to 1'
    """
    words = text.split()
    found = share(sum(any(map(str.isalpha, word)) for word in words), len(words))
    return outside(found, least, 1, "share of words with a letter")


def function_words(text: str, *, least: int = 2) -> str | None:
    """At least two of *the, be, to, of, and, that, have, with* occur. A rule for English.

    >>> function_words("Rome, capital of Italy")
    'English function words 1, expected 2 or more'
    """
    found = FUNCTION_WORDS & {word.strip(".,;:!?\"'()").lower() for word in text.split()}
    if len(found) >= least:
        return None
    return f"English function words {len(found)}, expected {least} or more"


GOPHER_QUALITY: Mapping[str, Rule] = MappingProxyType(
    {
        "number of words": number_of_words,
        "mean word length": mean_word_length,
        "symbols to words": symbol_to_word_ratio,
        "bullet lines": bullet_lines,
        "lines cut short": ellipsis_lines,
        "words without letters": alphabetic_words,
        "function words": function_words,
    }
)
