"""Five quality rules at once: which of them does a text break?

A short form of ``gopher`` for reading and teaching; the numbers and marks are the same, but for an
empty text, which has no mean word length to break. Limits are compared in whole numbers, so that
no rounding decides. The stages of the pipeline use ``gopher``, one rule a function.

Source:
    Rae et al. 2021 (arXiv:2112.11446), appendix A.1.1, *Quality Filtering*.
"""

from llm_course.data.cleaning.gopher import ELLIPSES, FUNCTION_WORDS

MARKS = ".,;:!?\"'()"


def broken_rules(text: str) -> list[str]:
    """The names of the rules that a text breaks, in order.

    >>> broken_rules("Rome is the capital of Italy.")
    ['number of words']
    """
    words = text.split()
    n, characters = len(words), sum(map(len, words))
    lettered = sum(any(map(str.isalpha, word)) for word in words)
    hashes, ellipses = text.count("#"), sum(map(text.count, ELLIPSES))
    found = FUNCTION_WORDS & {word.strip(MARKS).lower() for word in words}
    rules = {
        "number of words": not 50 <= n <= 100_000,
        "word length": not 3 * n <= characters <= 10 * n,
        "symbols": max(hashes, ellipses) * 10 > n,
        "letters": lettered * 10 < 8 * n,
        "function words": len(found) < 2,
    }
    return [name for name, broken in rules.items() if broken]
