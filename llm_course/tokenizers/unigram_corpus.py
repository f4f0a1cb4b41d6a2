"""A corpus as the Unigram trainer sees it: distinct stretches of text, each with its count.

No piece reaches over a space or from one script into another, so the likelihood of a text is the
product over the stretches between those places. ``▁word,`` is two of them, ``▁word`` and ``,``;
a language has far fewer stretches than words with all their punctuation, and each is needed once.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from llm_course.tokenizers.metaspace import MARK, NORMALIZERS, Normalizer
from llm_course.tokenizers.scripts import ANY, script_codes


@dataclass(frozen=True, kw_only=True)
class Stretches:
    """All distinct stretches, one behind the other in ``text``.

    Shapes:
        ``starts``, ``lengths``, ``counts``: ``(stretches,)`` int64.
    """

    text: str
    starts: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray


def count_words(texts: Iterable[str], normalizer: Normalizer = "nmt_nfkc") -> Counter[str]:
    """The words of the texts with ``▁`` in front, and how often each occurs.

    >>> count_words(["a cat", "a  dog"])
    Counter({'▁a': 2, '▁cat': 1, '▁dog': 1})
    """
    normalize = NORMALIZERS[normalizer]
    words: Counter[str] = Counter()
    for text in texts:
        words.update(normalize(text).replace(MARK, " ").split(" "))
    del words[""]
    return Counter({MARK + word: count for word, count in words.items()})


def covered_characters(words: Counter[str], coverage: float) -> set[str]:
    """The most frequent characters that together make up ``coverage`` of the text.

    Raises:
        ValueError: there is no character at all.

    >>> sorted(covered_characters(Counter({"▁a": 9, "▁é": 1}), 0.9))
    ['a', '▁']
    """
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    if not counts:
        raise ValueError("texts: expected some text to learn from, got none but blanks.")
    kept, missing = set(), coverage * sum(counts.values())
    for character, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if missing <= 1e-9:
            break
        kept.add(character)
        missing -= count
    return kept


def cut_stretches(words: Counter[str], characters: set[str]) -> Stretches:
    """Cut the words where the script changes and at characters that are not covered.

    Args:
        words: words that begin with ``▁``, and their counts.
        characters: the characters that are covered.

    >>> made = cut_stretches(Counter({"▁ab,": 2, "▁ab": 1}), set("▁ab,"))
    >>> made.text, made.counts.tolist()
    ('▁ab,', [3, 2])
    """
    stretches: Counter[str] = Counter()
    joined = "".join(words)
    cuts = _cuts(words, joined)
    word_ends = np.cumsum([len(word) for word in words])
    of_word = np.repeat(np.fromiter(words.values(), np.int64), np.diff(word_ends, prepend=0))
    ends = [*cuts[1:].tolist(), len(joined)]
    for start, end, count in zip(cuts.tolist(), ends, of_word[cuts].tolist(), strict=True):
        stretches[joined[start:end]] += count
    if uncovered := set(joined) - characters:
        stretches = _without(stretches, uncovered)
    lengths = np.fromiter(map(len, stretches), np.int64, len(stretches))
    return Stretches(
        text="".join(stretches),
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        counts=np.fromiter(stretches.values(), np.int64, len(stretches)),
    )


def _cuts(words: Counter[str], joined: str) -> np.ndarray:
    """Where a stretch begins in the joined words."""
    points = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    distinct, of_character = np.unique(points, return_inverse=True)
    scripts = script_codes("".join(map(chr, distinct)))[of_character]
    # A character that goes with its neighbours takes the script of the one before.
    known = np.maximum.accumulate(np.where(scripts != ANY, np.arange(len(points)), 0))
    scripts = scripts[known]
    begins = np.zeros(len(points), bool)
    begins[1:] = scripts[1:] != scripts[:-1]
    starts = np.cumsum([0, *map(len, words)])[:-1]
    begins[np.minimum(starts + 1, len(points) - 1)] = False  # ▁ and the character behind it
    begins[starts] = True
    return np.flatnonzero(begins)


def _without(stretches: Counter[str], uncovered: set[str]) -> Counter[str]:
    """The stretches between characters that are not covered."""
    blank = dict.fromkeys(map(ord, uncovered), " ")
    found: Counter[str] = Counter()
    for stretch, count in stretches.items():
        for part in stretch.translate(blank).split(" "):
            found[part] += count
    del found[""]
    return found
