"""Plausible wrong answers to ex-04-9, one merge of BPE."""

from collections import Counter
from itertools import pairwise


def _merged(word, best):
    new, at = [], 0
    while at < len(word):
        found = tuple(word[at : at + 2]) == best
        new.append("".join(best) if found else word[at])
        at += 2 if found else 1
    return new


def _pairs(words, counts):
    pairs = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in pairwise(word):
            pairs[pair] += count
    return pairs


def _step(words, pairs, key):
    if not pairs:
        return None, [list(word) for word in words]
    best = min(pairs, key=key)
    return best, [_merged(word, best) for word in words]


def counts_forgotten(words, counts):
    """Each word counts once, however often it occurs."""
    pairs = _pairs(words, [1] * len(words))
    return _step(words, pairs, lambda pair: (-pairs[pair], pair))


def once_a_word(words, counts):
    """A pair counts once for each word that holds it, not for each place."""
    pairs = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in set(pairwise(word)):
            pairs[pair] += count
    return _step(words, pairs, lambda pair: (-pairs[pair], pair))


def ties_by_appearance(words, counts):
    """Of equals the pair that was seen first wins, whatever its letters."""
    pairs = _pairs(words, counts)
    return _step(words, pairs, lambda pair: -pairs[pair])


def ties_by_the_last(words, counts):
    """Of equals the last in alphabetical order wins."""
    pairs = _pairs(words, counts)
    best = max(pairs, key=lambda pair: (pairs[pair], pair), default=None)
    return best, [_merged(word, best) for word in words]


def merged_from_the_right(words, counts):
    """The words are merged from their ends: a a a becomes a aa."""
    pairs = _pairs(words, counts)
    best, _ = _step(words, pairs, lambda pair: (-pairs[pair], pair))
    if best is None:
        return None, [list(word) for word in words]
    back = [_merged(word[::-1], best[::-1]) for word in words]
    joined = "".join(best)
    return best, [[joined if t == "".join(best[::-1]) else t for t in w][::-1] for w in back]


def only_the_first_place(words, counts):
    """Only the first place of each word is merged."""
    pairs = _pairs(words, counts)
    best, _ = _step(words, pairs, lambda pair: (-pairs[pair], pair))
    if best is None:
        return None, [list(word) for word in words]
    new = []
    for word in words:
        places = [i for i, pair in enumerate(pairwise(word)) if pair == best][:1]
        at = places[0] if places else len(word)
        new.append([*word[:at], *["".join(best)] * len(places), *word[at + 2 :]])
    return best, new


def changed_in_place(words, counts):
    """The words that were given are merged themselves."""
    pairs = _pairs(words, counts)
    best, new = _step(words, pairs, lambda pair: (-pairs[pair], pair))
    for word, merged in zip(words, new, strict=True):
        word[:] = merged
    return best, words
