"""Byte-level byte-pair encoding: text to ids by a fixed list of merges, and back without loss.

Leaves out learning the merges: here the vocabulary and the merges are given, as they come with a
pretrained model.
"""

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import index
from typing import Literal

from llm_course.tokenizers.base import check_special, split_special
from llm_course.tokenizers.byte_level import (
    GPT2_SPLIT,
    byte_characters,
    readable,
    split_words,
    to_bytes,
)

Ranks = Mapping[tuple[int, int], tuple[int, int]]
"""``(left, right) -> (rank, merged)``: a merge, how early it was learned, and what it makes."""

_WORDS_REMEMBERED = 65_536


def merge_word(ids: Sequence[int], ranks: Ranks) -> list[int]:
    """Apply the merges to one word: always the earliest learned one, the leftmost first.

    A heap holds every merge that is possible now and a linked list holds the word, so a word of
    ``n`` bytes costs ``O(n log n)``; scanning it anew for each merge would cost ``O(n²)``.

    Args:
        ids: the ids of the word's bytes.
        ranks: the merges.

    Source:
        Sennrich et al. 2016, arXiv:1508.07909, section 3.2.

    >>> a, b, ab, aba = 0, 1, 2, 3
    >>> merge_word([a, b, a, b, a], {(a, b): (0, ab), (ab, a): (1, aba)})
    [2, 3]
    >>> merge_word([a, b, a, b, a], {(b, a): (0, 9), (a, 9): (1, aba)})
    [3, 9]
    """
    end = len(ids)
    # One more place, which holds no id: the neighbour of the last (and, as -1, of the first).
    word = [*ids, -1]
    previous = list(range(-1, end))
    following = [*range(1, end + 1), end]
    heap = [(ranks[pair][0], place) for place, pair in enumerate(pairwise(ids)) if pair in ranks]
    heapq.heapify(heap)
    while heap:
        rank, place = heapq.heappop(heap)
        right = following[place]
        found = ranks.get((word[place], word[right]))
        if found is None or found[0] != rank:
            continue  # One of the two has been merged with its other neighbour since.
        word[place], word[right] = found[1], -1
        following[place] = following[right]
        previous[following[right]] = place
        for left in (previous[place], place):
            candidate = ranks.get((word[left], word[following[left]]))
            if candidate is not None:
                heapq.heappush(heap, (candidate[0], left))
    return [token for token in word if token >= 0]


class ByteLevelBPE:
    """A byte-level BPE tokenizer with a given vocabulary.

    Text is split into words, each word is taken as its UTF-8 bytes, and bytes are merged into
    tokens. With all 256 bytes in the vocabulary every text has ids and comes back unchanged.

    Args:
        vocabulary: id of each token, written with GPT-2's byte characters; special tokens are
            written as they are.
        merges: the pairs to merge, earliest learned first.
        pre_split: the pattern that cuts text into words (``GPT2_SPLIT``, ``SMOLLM_SPLIT``).
        special_tokens: tokens that stand for themselves and never come out of merging.
        missing_bytes: what happens to a byte that the vocabulary lacks. Some published
            vocabularies lack a few, and their models were trained with those bytes dropped.

    Raises:
        ValueError: the vocabulary, the merges and the special tokens do not fit together.

    >>> characters = {character: byte for byte, character in enumerate(byte_characters())}
    >>> vocabulary = characters | {"Ġa": 256, "<end>": 257}
    >>> tokenizer = ByteLevelBPE(vocabulary, [("Ġ", "a")], special_tokens=["<end>"])
    >>> tokenizer.encode("a a<end>", allow_special=True), tokenizer.decode([97, 256])
    ([97, 256, 257], 'a a')
    >>> tokenizer.tokens("a a")
    ['a', '·a']
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Iterable[tuple[str, str]],
        pre_split: str = GPT2_SPLIT,
        special_tokens: Collection[str] = (),
        missing_bytes: Literal["error", "drop"] = "error",
    ) -> None:
        if missing_bytes not in ("error", "drop"):
            raise ValueError(f"missing_bytes: expected 'error' or 'drop', got {missing_bytes!r}.")
        self.vocabulary = dict(vocabulary)
        self.special_tokens = check_special(special_tokens, vocabulary)
        self.merges = list(merges)
        self.pre_split = pre_split
        self.missing_bytes = missing_bytes
        self._bytes_of = {
            token_id: token.encode() if token in self.special_tokens else to_bytes(token)
            for token, token_id in vocabulary.items()
        }
        if len(self._bytes_of) != len(vocabulary):
            raise ValueError("vocabulary: expected one id for each token, got an id twice.")
        self._byte_ids = [vocabulary.get(character) for character in byte_characters()]
        self._ranks = _ranks(vocabulary, self.merges)
        self._encode_word = lru_cache(_WORDS_REMEMBERED)(self._merged)

    def __len__(self) -> int:
        """Number of tokens, special ones included."""
        return len(self.vocabulary)

    def encode(self, text: str, allow_special: bool | Collection[str] = False) -> list[int]:
        """The token ids of a text.

        Args:
            text: any text without lone surrogates.
            allow_special: which special tokens are recognised where the text spells them out:
                none, all, or those named. Text that a stranger wrote should be encoded with none,
                or it can end a turn and begin one in another's name.

        Raises:
            ValueError: the text holds half of a surrogate pair, or a byte that the vocabulary
                lacks; or a name in ``allow_special`` is not a special token.
        """
        ids: list[int] = []
        parts = split_special(text, self.special_tokens, allow_special)
        for position, part in enumerate(parts):
            if position % 2:  # The parts alternate: text, special token, text, ...
                ids.append(self.special_tokens[part])
            else:
                for word in split_words(part, self.pre_split):
                    ids.extend(self._encode_word(word))
        return ids

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text of token ids. A character of which only some bytes are there becomes ``�``.

        Args:
            ids: token ids; a one-dimensional tensor will do.
            skip_special: whether special tokens are left out.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        skipped = set(self.special_tokens.values()) if skip_special else set()
        kept = (token_id for token_id in map(index, ids) if token_id not in skipped)
        return b"".join(map(self.token_bytes, kept)).decode(errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that one token stands for.

        Raises:
            ValueError: the id is not in the vocabulary.
        """
        try:
            return self._bytes_of[index(token_id)]
        except KeyError:
            raise ValueError(
                f"id: expected one of the {len(self)} ids of the vocabulary, got {token_id}."
            ) from None

    def tokens(self, text: str, allow_special: bool | Collection[str] = False) -> list[str]:
        """The tokens of a text as labels for a figure: ``·`` is a space, ``↵`` a line end."""
        return [readable(self.token_bytes(i)) for i in self.encode(text, allow_special)]

    def _merged(self, word: str) -> tuple[int, ...]:
        try:
            data = word.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"text: expected whole characters, got half of a surrogate pair in {word!r}. "
                "Fix: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
            ) from error
        ids = [self._byte_ids[byte] for byte in data]
        if None in ids and self.missing_bytes == "error":
            raise ValueError(
                f"text: the vocabulary lacks byte 0x{data[ids.index(None)]:02X} of {word!r}."
            )
        return tuple(merge_word([i for i in ids if i is not None], self._ranks))


def _ranks(vocabulary: Mapping[str, int], merges: Iterable[tuple[str, str]]) -> Ranks:
    ranks: dict[tuple[int, int], tuple[int, int]] = {}
    for rank, (left, right) in enumerate(merges):
        absent = [token for token in (left, right, left + right) if token not in vocabulary]
        if absent:
            raise ValueError(
                f"merges: expected tokens of the vocabulary, got {absent[0]!r} in merge {rank}, "
                f"({left!r}, {right!r})."
            )
        # A pair that is listed twice keeps its last rank, as in Hugging Face's tokenizers.
        ranks[vocabulary[left], vocabulary[right]] = rank, vocabulary[left + right]
    return ranks
