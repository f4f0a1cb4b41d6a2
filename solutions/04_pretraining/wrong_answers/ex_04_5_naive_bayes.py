"""Plausible wrong answers to ex-04-5, a classifier by counting."""

import math
from collections import Counter


def _words(text):
    return text.lower().split()


def _counts(texts):
    return Counter(word for text in texts for word in _words(text))


def _score(words, good, bad, alpha, size, known):
    total = 0.0
    for word in words:
        if word in known:
            p_good = (good[word] + alpha) / (sum(good.values()) + alpha * size)
            p_bad = (bad[word] + alpha) / (sum(bad.values()) + alpha * size)
            total += math.log(p_good / p_bad)
    return total


def bad_over_good(text, good, bad, alpha=1.0):
    """The ratio is upside down: bad text gets the high score."""
    g, b = _counts(good), _counts(bad)
    return _score(_words(text), b, g, alpha, len(g | b), g | b)


def unknown_words_count(text, good, bad, alpha=1.0):
    """A word that neither class has seen is smoothed, and speaks for the smaller class."""
    g, b = _counts(good), _counts(bad)
    return _score(_words(text), g, b, alpha, len(g | b), set(_words(text)))


def each_word_once(text, good, bad, alpha=1.0):
    """A repeated word counts once."""
    g, b = _counts(good), _counts(bad)
    return _score(set(_words(text)), g, b, alpha, len(g | b), g | b)


def own_vocabularies(text, good, bad, alpha=1.0):
    """Each class is smoothed over its own words, so its chances do not add up to 1."""
    g, b = _counts(good), _counts(bad)
    total = 0.0
    for word in _words(text):
        if word in g or word in b:
            p_good = (g[word] + alpha) / (sum(g.values()) + alpha * len(g))
            p_bad = (b[word] + alpha) / (sum(b.values()) + alpha * len(b))
            total += math.log(p_good / p_bad)
    return total


def total_not_smoothed(text, good, bad, alpha=1.0):
    """α is added to the counts and not to the totals."""
    g, b = _counts(good), _counts(bad)
    return _score(_words(text), g, b, alpha, 0, g | b)


def alpha_ignored(text, good, bad, alpha=1.0):
    """α is always 1."""
    g, b = _counts(good), _counts(bad)
    return _score(_words(text), g, b, 1.0, len(g | b), g | b)


def alpha_once_in_the_total(text, good, bad, alpha=1.0):
    """The total gets |V| and not α|V|."""
    g, b = _counts(good), _counts(bad)
    return _score(_words(text), g, b, alpha, len(g | b) / alpha, g | b)


def case_kept(text, good, bad, alpha=1.0):
    """Capitals make another word."""
    g, b = (Counter(word for t in texts for word in t.split()) for texts in (good, bad))
    return _score(text.split(), g, b, alpha, len(g | b), g | b)


def with_a_prior(text, good, bad, alpha=1.0):
    """The numbers of words in the classes are added as a prior."""
    g, b = _counts(good), _counts(bad)
    prior = math.log((sum(g.values()) + 1) / (sum(b.values()) + 1))
    return prior + _score(_words(text), g, b, alpha, len(g | b), g | b)


def mean_not_sum(text, good, bad, alpha=1.0):
    """The score is divided by the number of words."""
    g, b = _counts(good), _counts(bad)
    return _score(_words(text), g, b, alpha, len(g | b), g | b) / max(1, len(_words(text)))


def base_two(text, good, bad, alpha=1.0):
    """The logarithm is taken to base 2."""
    g, b = _counts(good), _counts(bad)
    return _score(_words(text), g, b, alpha, len(g | b), g | b) / math.log(2)


def documents_counted(text, good, bad, alpha=1.0):
    """The texts that hold a word are counted, not its occurrences."""
    g, b = (Counter(w for t in texts for w in set(_words(t))) for texts in (good, bad))
    return _score(_words(text), g, b, alpha, len(g | b), g | b)
