"""Merging one word, short or long, against one merge at a time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llm_course.tokenizers.bpe_merging import JoinRanks, merge_long, merge_short, merge_word


@given(st.lists(st.integers(0, 3), max_size=40), st.permutations(range(6)))
def test_merging_is_always_the_earliest_then_the_leftmost(ids: list[int], order: list[int]) -> None:
    pairs = [(0, 1), (1, 0), (2, 2), (4, 4), (5, 2), (0, 0)]
    ranks = {pair: (order[k], 4 + k) for k, pair in enumerate(pairs)}
    slow = list(ids)
    while True:  # One merge at a time, looking at every pair each time.
        found = [(ranks[p][0], place) for place, p in enumerate(pairwise(slow)) if p in ranks]
        if not found:
            break
        place = min(found)[1]
        slow[place : place + 2] = [ranks[slow[place], slow[place + 1]][1]]
    assert merge_short(ids, ranks) == slow
    assert merge_long(ids, ranks) == slow


def test_a_word_of_100_000_letters_is_merged() -> None:
    ranks = {(0, 0): (0, 1), (1, 1): (1, 2)}
    assert merge_word([0] * 100_000, ranks) == [2] * 25_000


@given(st.text(alphabet="ab", max_size=60))
def test_join_ranks_merge_what_joins_to_a_token(word: str) -> None:
    tokens = [b"a", b"b", b"ab", b"ba", b"aba", b"bb", b"abab"]
    ranks = JoinRanks(dict(enumerate(tokens)))
    ids = [tokens.index(letter.encode()) for letter in word]
    found = merge_word(ids, ranks)
    assert merge_short(ids, ranks) == merge_long(ids, ranks) == found
    assert b"".join(tokens[i] for i in found) == word.encode()
    assert not any(tokens[x] + tokens[y] in tokens for x, y in pairwise(found))
