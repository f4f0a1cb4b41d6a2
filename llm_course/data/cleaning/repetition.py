"""Gopher's rules on repetition: how much of a page says again what it has said.

Three measures, each as a share: lines or paragraphs that came before, by number and by
characters; the characters inside the most frequent n-gram of words (n = 2 to 4); the characters
inside n-grams that came before (n = 5 to 10). No character counts twice in one measure.

The paper does not say whether the first occurrence counts as a duplicate. Here it does not, for
lines and for n-grams that came before; the most frequent n-gram counts wherever it stands.

Source:
    Rae et al. 2021 (arXiv:2112.11446), appendix A.1.1, *Repetition Removal*, table A1.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from llm_course.data.cleaning.gopher import full_lines, share
from llm_course.data.cleaning.rules import Rule, above

TOP_NGRAM_LIMITS: Mapping[int, float] = MappingProxyType({2: 0.20, 3: 0.18, 4: 0.16})
REPEATED_NGRAM_LIMITS: Mapping[int, float] = MappingProxyType(
    {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
)


def paragraphs(text: str) -> list[str]:
    """The blocks that empty lines separate, stripped.

    >>> paragraphs("a\\nb\\n\\nc")
    ['a\\nb', 'c']
    """
    return [block for block in map(str.strip, re.split(r"\n[^\S\n]*\n", text)) if block]


def repeated_share(items: Sequence[str]) -> float:
    """The share of items that came before.

    >>> repeated_share(["a", "b", "a", "a"])
    0.5
    """
    return share(len(items) - len(set(items)), len(items))


def repeated_characters(items: Sequence[str]) -> float:
    """The share of the characters that are in items that came before.

    >>> repeated_characters(["aaa", "b", "aaa"])
    0.42857142857142855
    """
    length = sum(map(len, items))
    return share(length - sum(map(len, set(items))), length)


def ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """All runs of n words.

    >>> ngrams(["a", "b", "c"], 2)
    [('a', 'b'), ('b', 'c')]
    """
    return list(zip(*(words[start:] for start in range(n)), strict=False))


def _covered(words: Sequence[str], starts: Sequence[int], n: int) -> float:
    """The share of the characters that lie in a run of n words from one of ``starts``."""
    inside = {start + offset for start in starts for offset in range(n)}
    return share(sum(len(words[index]) for index in inside), sum(map(len, words)))


def top_ngram_characters(text: str, n: int) -> float:
    """The share of the characters inside the most frequent n-gram; 0 if none comes twice.

    >>> top_ngram_characters("to be or not to be", 2)  # 8 of 13 letters
    0.6153846153846154
    """
    words = text.split()
    grams = ngrams(words, n)
    counts = Counter(grams)
    most = max(counts.values(), default=0)
    if most < 2:
        return 0.0
    # Of those equally frequent, the one that covers most.
    length = {gram: sum(map(len, gram)) for gram, count in counts.items() if count == most}
    top = max(length, key=lambda gram: length[gram])
    return _covered(words, [start for start, gram in enumerate(grams) if gram == top], n)


def repeated_ngram_characters(text: str, n: int) -> float:
    """The share of the characters inside n-grams that came before.

    >>> repeated_ngram_characters("a b c d a b c", 3)
    0.42857142857142855
    """
    words = text.split()
    seen: set[tuple[str, ...]] = set()
    starts = []
    for start, gram in enumerate(ngrams(words, n)):
        if gram in seen:
            starts.append(start)
        seen.add(gram)
    return _covered(words, starts, n)


def _limited(text: str, measure: Callable[[str], float], limit: float, what: str) -> str | None:
    return above(measure(text), limit, what)


def _rule(measure: Callable[[str], float], limit: float, what: str) -> Rule:
    return partial(_limited, measure=measure, limit=limit, what=what)


GOPHER_REPETITION: Mapping[str, Rule] = MappingProxyType(
    {
        "repeated lines": _rule(
            lambda text: repeated_share(full_lines(text)), 0.30, "share of repeated lines"
        ),
        "repeated paragraphs": _rule(
            lambda text: repeated_share(paragraphs(text)), 0.30, "share of repeated paragraphs"
        ),
        "characters in repeated lines": _rule(
            lambda text: repeated_characters(full_lines(text)), 0.20, "share of characters"
        ),
        "characters in repeated paragraphs": _rule(
            lambda text: repeated_characters(paragraphs(text)), 0.20, "share of characters"
        ),
        **{
            f"most frequent {n}-gram": _rule(
                partial(top_ngram_characters, n=n), limit, "share of characters"
            )
            for n, limit in TOP_NGRAM_LIMITS.items()
        },
        **{
            f"repeated {n}-grams": _rule(
                partial(repeated_ngram_characters, n=n), limit, "share of characters"
            )
            for n, limit in REPEATED_NGRAM_LIMITS.items()
        },
    }
)
"""The thirteen rules of the paper's table."""
