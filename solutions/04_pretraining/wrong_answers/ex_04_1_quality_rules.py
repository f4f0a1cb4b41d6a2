"""Plausible wrong answers to ex-04-1, quality rules."""

FUNCTION_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
MARKS = ".,;:!?\"'()"


def _counts(text):
    words = text.split()
    lettered = sum(any(map(str.isalpha, word)) for word in words)
    found = {word.strip(MARKS).lower() for word in words} & FUNCTION_WORDS
    ellipses = text.count("...") + text.count("…")
    return words, len(words), sum(map(len, words)), lettered, found, ellipses


def _named(number, length, symbols, letters, function):
    broken = {
        "number of words": number,
        "word length": length,
        "symbols": symbols,
        "letters": letters,
        "function words": function,
    }
    return [name for name, is_broken in broken.items() if is_broken]


def limits_excluded(text):
    """A value exactly at its limit is taken for a broken rule."""
    _, n, length, lettered, found, ellipses = _counts(text)
    return _named(
        not 50 < n < 100_000,
        n > 0 and not 3 * n < length < 10 * n,
        n > 0 and max(text.count("#"), ellipses) * 10 >= n,
        n > 0 and 10 * lettered <= 8 * n,
        len(found) < 2,
    )


def characters_with_spaces(text):
    """The mean length is that of the text divided by the words, spaces and all."""
    _, n, _, lettered, found, ellipses = _counts(text)
    return _named(
        not 50 <= n <= 100_000,
        not 3 * n <= len(text) <= 10 * n,
        max(text.count("#"), ellipses) * 10 > n,
        10 * lettered < 8 * n,
        len(found) < 2,
    )


def symbols_as_words(text):
    """Only a hash sign or an ellipsis that stands alone is counted."""
    words, n, length, lettered, found, _ = _counts(text)
    symbols = max(words.count("#"), words.count("...") + words.count("…"))
    return _named(
        not 50 <= n <= 100_000,
        not 3 * n <= length <= 10 * n,
        symbols * 10 > n,
        10 * lettered < 8 * n,
        len(found) < 2,
    )


def symbols_together(text):
    """Hash signs and ellipses are added up against one limit."""
    _, n, length, lettered, found, ellipses = _counts(text)
    return _named(
        not 50 <= n <= 100_000,
        not 3 * n <= length <= 10 * n,
        (text.count("#") + ellipses) * 10 > n,
        10 * lettered < 8 * n,
        len(found) < 2,
    )


def whole_words_of_letters(text):
    """A word counts only if all of it is letters, so every full stop costs a word."""
    words, n, length, _, found, ellipses = _counts(text)
    return _named(
        not 50 <= n <= 100_000,
        not 3 * n <= length <= 10 * n,
        max(text.count("#"), ellipses) * 10 > n,
        10 * sum(map(str.isalpha, words)) < 8 * n,
        len(found) < 2,
    )


def function_words_counted_twice(text):
    """Two occurrences of one word are taken for two different words."""
    words, n, length, lettered, _, ellipses = _counts(text)
    return _named(
        not 50 <= n <= 100_000,
        not 3 * n <= length <= 10 * n,
        max(text.count("#"), ellipses) * 10 > n,
        10 * lettered < 8 * n,
        sum(word.strip(MARKS).lower() in FUNCTION_WORDS for word in words) < 2,
    )


def function_words_anywhere(text):
    """*the* is looked for in the text, and found inside *other*."""
    _, n, length, lettered, _, ellipses = _counts(text)
    return _named(
        not 50 <= n <= 100_000,
        not 3 * n <= length <= 10 * n,
        max(text.count("#"), ellipses) * 10 > n,
        10 * lettered < 8 * n,
        sum(word in text.lower() for word in FUNCTION_WORDS) < 2,
    )


def marks_left_on(text):
    """Punctuation stays on the words, so *of,* is not *of*."""
    words, n, length, lettered, _, ellipses = _counts(text)
    return _named(
        not 50 <= n <= 100_000,
        not 3 * n <= length <= 10 * n,
        max(text.count("#"), ellipses) * 10 > n,
        10 * lettered < 8 * n,
        len({word.lower() for word in words} & FUNCTION_WORDS) < 2,
    )


def first_rule_only(text):
    """The answer ends at the first broken rule, as a filter would."""
    _, n, length, lettered, found, ellipses = _counts(text)
    return _named(
        not 50 <= n <= 100_000,
        not 3 * n <= length <= 10 * n,
        max(text.count("#"), ellipses) * 10 > n,
        10 * lettered < 8 * n,
        len(found) < 2,
    )[:1]


def divides_by_nothing(text):
    """The mean is a division, which an empty text does not survive."""
    _, n, length, lettered, found, ellipses = _counts(text)
    return _named(
        not 50 <= n <= 100_000,
        not 3 <= length / n <= 10,
        max(text.count("#"), ellipses) * 10 > n,
        10 * lettered < 8 * n,
        len(found) < 2,
    )
