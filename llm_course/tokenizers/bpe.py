"""Byte-level byte-pair encoding: text to ids by a fixed list of merges, and back without loss.

Leaves out learning the merges: here the vocabulary and the merges are given, as they come with a
pretrained model.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from operator import index
from typing import Literal

from llm_course.tokenizers.base import check_special, split_special
from llm_course.tokenizers.bpe_merging import JoinRanks, Merge, Pair, Ranks, merge_word
from llm_course.tokenizers.byte_level import (
    GPT2_SPLIT,
    byte_characters,
    readable,
    split_words,
    to_bytes,
    utf8,
)
from llm_course.tokenizers.fast_split import split_chunks, split_fast

_REMEMBERED, _LONGEST_REMEMBERED = 1 << 18, 64
Ids = tuple[int, ...]


class Memory(dict[str, Ids]):
    """The ids of texts seen before; those of others are computed.

    It forgets everything when it is full, and never keeps a long text.
    """

    def __init__(self, compute: Callable[[str], Ids]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, text: str) -> Ids:
        ids = self._compute(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[text] = ids
        return ids


class ByteLevelBPE:
    """A byte-level BPE tokenizer with a given vocabulary.

    Text is split into words, each word is taken as its UTF-8 bytes, and bytes are merged into
    tokens. With all 256 bytes in the vocabulary every text has ids and comes back unchanged.

    Args:
        vocabulary: id of each token, written with GPT-2's byte characters; special tokens are
            written as they are.
        merges: the pairs to merge, earliest learned first. None is tiktoken's rule: a word that is
            a token is taken whole, and in others any two neighbours that join to a token merge,
            the lowest id first.
        pre_split: the pattern that cuts text into words (``GPT2_SPLIT``, ``CL100K_SPLIT``).
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
        merges: Iterable[tuple[str, str]] | None,
        pre_split: str = GPT2_SPLIT,
        special_tokens: Collection[str] = (),
        missing_bytes: Literal["error", "drop"] = "error",
    ) -> None:
        if missing_bytes not in ("error", "drop"):
            raise ValueError(f"missing_bytes: expected 'error' or 'drop', got {missing_bytes!r}.")
        self.vocabulary = dict(vocabulary)
        self.special_tokens = check_special(special_tokens, vocabulary)
        self.merges = None if merges is None else list(merges)
        self.pre_split = pre_split
        self.missing_bytes = missing_bytes
        self._bytes_of = {
            token_id: token.encode() if token in self.special_tokens else to_bytes(token)
            for token, token_id in vocabulary.items()
        }
        if len(self._bytes_of) != len(vocabulary):
            raise ValueError("vocabulary: expected one id for each token, got an id twice.")
        self._byte_ids = [vocabulary.get(character) for character in byte_characters()]
        self._ranks: Ranks
        self._whole: Mapping[bytes, int] = {}
        if self.merges is None:
            ordinary = self._bytes_of.items() - {
                (i, t.encode()) for t, i in self.special_tokens.items()
            }
            self._ranks = JoinRanks(dict(ordinary))
            self._whole = {data: token_id for token_id, data in ordinary}
        else:
            self._ranks = _ranks(vocabulary, self.merges)
        self._word_ids = Memory(lambda word: self._merged(utf8(word)))
        self._chunk_ids = Memory(self._chunk)

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
        parts = split_special(text, self.special_tokens, allow_special)
        if len(parts) == 1:
            return self._text_ids(text)
        ids: list[int] = []
        for position, part in enumerate(parts):
            if position % 2:  # The parts alternate: text, special token, text, ...
                ids.append(self.special_tokens[part])
            else:
                ids.extend(self._text_ids(part))
        return ids

    def encode_bytes(self, data: bytes) -> list[int]:
        """The token ids of bytes that need not be UTF-8; ``decode_bytes`` gives them back.

        A byte that is no part of a character counts as a mark when words are cut, and merges as
        any other.
        """
        words = split_words(data.decode(errors="surrogateescape"), self.pre_split)
        merged = (self._merged(word.encode(errors="surrogateescape")) for word in words)
        return list(chain.from_iterable(merged))

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text of token ids. A character of which only some bytes are there becomes ``�``.

        Args:
            ids: token ids; a one-dimensional tensor will do.
            skip_special: whether special tokens are left out.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        return self.decode_bytes(ids, skip_special).decode(errors="replace")

    def decode_bytes(self, ids: Iterable[int], skip_special: bool = False) -> bytes:
        """The bytes of token ids, whole characters or not.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        skipped = set(self.special_tokens.values()) if skip_special else set()
        kept = (token_id for token_id in map(index, ids) if token_id not in skipped)
        return b"".join(map(self.token_bytes, kept))

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

    def _text_ids(self, text: str) -> list[int]:
        chunks = split_chunks(text, self.pre_split)
        if chunks is None:  # No place is known where this rule never has a word across.
            return list(
                chain.from_iterable(
                    map(self._word_ids.__getitem__, split_words(text, self.pre_split))
                )
            )
        return list(chain.from_iterable(map(self._chunk_ids.__getitem__, chunks)))

    def _chunk(self, chunk: str) -> Ids:
        words = split_fast(chunk, self.pre_split)
        return tuple(chain.from_iterable(map(self._word_ids.__getitem__, words)))

    def _merged(self, data: bytes) -> Ids:
        if data in self._whole:
            return (self._whole[data],)
        ids = [self._byte_ids[byte] for byte in data]
        if None in ids:
            if self.missing_bytes == "error":
                byte = data[ids.index(None)]
                raise ValueError(f"text: the vocabulary lacks byte 0x{byte:02X} of {data!r}.")
            ids = [i for i in ids if i is not None]
        return tuple(merge_word(ids, self._ranks))


def _ranks(vocabulary: Mapping[str, int], merges: Iterable[tuple[str, str]]) -> Ranks:
    ranks: dict[Pair, Merge] = {}
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
