"""The table of pairs against counting everything anew after each merge."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.tokenizers.wordpiece_pairs import Pairs, PairTable

SEEN: list[Pairs] = []


def remember(pairs: Pairs):
    SEEN.append(pairs)
    return pairs.count


@given(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=6))
@settings(deadline=None)
def test_counts_after_each_merge_are_those_of_the_words(texts: list[str]) -> None:
    counts = Counter(texts)
    table = PairTable(counts, {"a": 0, "b": 1, "##a": 2, "##b": 3}, "##")
    words = {text: chr("ab".index(text[0])) for text in counts}
    words = {t: w + "".join(chr(2 + "ab".index(c)) for c in t[1:]) for t, w in words.items()}
    for new in range(4, 12):
        pair, best = table.best(remember)
        pairs = {a + b for w in words.values() for a, b in pairwise(w)}
        expected = {p: sum(n * words[t].count(p) for t, n in counts.items()) for p in pairs}
        if not pairs:
            assert pair == ""
            return
        assert best == max(expected.values()) == expected[pair]
        assert pair == min(p for p in pairs if expected[p] == best)
        assert sorted(SEEN[-1].count) == sorted(expected.values())
        assert SEEN[-1].total == sum(n * len(words[t]) for t, n in counts.items())
        before = len(table._vocabulary)
        table.merge(pair)
        if len(table._vocabulary) == before:
            return  # A token that was there: its id is not the next.
        words = {t: w.replace(pair, chr(new)) for t, w in words.items()}
