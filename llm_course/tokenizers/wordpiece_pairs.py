"""The counts behind WordPiece's training: every pair of neighbours, kept up to date by each merge.

A word is kept as a text whose characters are token ids. A pair's count is that of its merges:
``aaa`` holds the pair ``aa`` once.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from operator import add
from typing import NamedTuple

import numpy as np


class Pairs(NamedTuple):
    """What is known of pairs, an array for each: their own count and those of three tokens.

    ``left`` and ``right`` count the halves, ``merged`` the token that a merge would make, if other
    merges have made it already; ``alike`` says whether the halves are one token. ``total`` is the
    number of tokens in the corpus.
    """

    count: np.ndarray
    left: np.ndarray
    right: np.ndarray
    merged: np.ndarray
    alike: np.ndarray
    total: int


class PairTable:
    """All pairs of a corpus.

    Args:
        counts: how often each word occurs.
        vocabulary: the tokens, every character of the words among them; grows with each merge.
        continues: what begins each token that is not the first of its word.

    >>> table = PairTable({"aaa": 2}, {"a": 0, "##a": 1}, "##")
    >>> table.best(lambda pairs: pairs.count)
    ('\\x00\\x01', 2)
    """

    def __init__(
        self, counts: Mapping[str, int], vocabulary: dict[str, int], continues: str
    ) -> None:
        self._vocabulary, self._continues = vocabulary, continues
        self._token_of = {chr(token_id): token for token, token_id in vocabulary.items()}
        self._times = list(counts.values())
        self._words = [
            "".join(chr(vocabulary[continues * (at > 0) + c]) for at, c in enumerate(word))
            for word in counts
        ]
        # A slot holds the count of a token, or of a text that a merge would make a token.
        self._slots: dict[str, int] = {}
        self._slot_counts = np.zeros(1024, dtype=np.int64)
        self._pairs: list[str] = []
        self._rows: dict[str, int] = {}
        # For each pair, a row: its count, and the slots of left, right and merged.
        self._table = np.zeros((1024, 4), dtype=np.int64)
        self._where: dict[str, set[int]] = defaultdict(set)
        self._total = 0
        for place in range(len(self._words)):
            self._count(place, 1)

    def best(self, scoring: Callable[[Pairs], np.ndarray]) -> tuple[str, float]:
        """The pair of the highest score, then of the highest count, then of the lowest ids.

        Returns:
            The pair and its score; an empty pair when none is left.
        """
        live = np.flatnonzero(self._table[: len(self._rows), 0])
        if not len(live):
            return "", 0.0
        count, left, right, merged = self._table[live].T
        tokens = self._slot_counts
        pairs = Pairs(
            count, tokens[left], tokens[right], tokens[merged], left == right, self._total
        )
        scores = scoring(pairs)
        highest = scores.max()
        # Sums of logarithms that are equal on paper may differ in their last digits.
        equal = np.flatnonzero(scores >= highest - 1e-9 * abs(highest))
        equal = equal[count[equal] == count[equal].max()]
        return min(self._pairs[row] for row in live[equal]), highest.item()

    def count_of(self, pair: str) -> int:
        """How often a pair can be merged."""
        return self._table[self._rows[pair], 0].item()

    def tokens_of(self, pair: str) -> tuple[str, str]:
        """The two tokens of a pair."""
        return self._token_of[pair[0]], self._token_of[pair[1]]

    def merge(self, pair: str) -> None:
        """Merge a pair in all words, from the left."""
        token = self._joined(pair)
        new = chr(self._vocabulary.setdefault(token, len(self._vocabulary)))
        self._token_of[new] = token
        for place in list(self._where[pair]):
            self._count(place, -1)
            self._words[place] = self._words[place].replace(pair, new)
            self._count(place, 1)

    def _count(self, place: int, sign: int) -> None:
        """Add a word to all counts, or take it away."""
        word, times = self._words[place], sign * self._times[place]
        self._total += times * len(word)
        for token in word:
            slot = self._slot(self._token_of[token])  # May make the array longer.
            self._slot_counts[slot] += times
        for pair in set(map(add, word, word[1:])):
            row = self._row(pair)
            self._table[row, 0] += times * word.count(pair)
            (self._where[pair].add if sign > 0 else self._where[pair].discard)(place)

    def _joined(self, pair: str) -> str:
        left, right = self.tokens_of(pair)
        return left + right.removeprefix(self._continues)

    def _slot(self, text: str) -> int:
        slot = self._slots.setdefault(text, len(self._slots))
        if slot == len(self._slot_counts):
            self._slot_counts = np.concatenate(
                [self._slot_counts, np.zeros_like(self._slot_counts)]
            )
        return slot

    def _row(self, pair: str) -> int:
        row = self._rows.get(pair)
        if row is None:
            row = self._rows[pair] = len(self._rows)
            self._pairs.append(pair)
            if row == len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            left, right = self.tokens_of(pair)
            self._table[row, 1:] = [self._slot(t) for t in (left, right, self._joined(pair))]
        return row
