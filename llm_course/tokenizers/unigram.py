"""The Unigram tokenizer: a text's tokens are its most probable segmentation into pieces.

Each piece has a probability of its own and a segmentation's is their product. Training is in
``unigram_training``; leaves out SentencePiece's user-defined pieces, which are special tokens here.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import index
from typing import Literal

import numpy as np
import torch

from llm_course.tokenizers.base import check_special, split_special
from llm_course.tokenizers.lattice import (
    Lattice,
    build_lattice,
    forward,
    n_best,
    prefix_table,
    sample,
    viterbi,
)
from llm_course.tokenizers.metaspace import (
    MARK,
    NORMALIZERS,
    Normalizer,
    mark_spaces,
    split_marks,
    squeeze_spaces,
)

UNKNOWN = "<unk>"
BYTE_TOKENS = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""The tokens that stand for one byte each, where no piece spells a character."""

UNKNOWN_PENALTY = 10.0
"""A character without a piece scores so much less than the rarest piece, as in SentencePiece."""

_WORDS_REMEMBERED = 65_536


class Unigram:
    """A Unigram tokenizer with given pieces.

    With byte fallback and the normaliser ``identity``, every text comes back unchanged: a
    character that is no piece becomes its UTF-8 bytes, and so does a ``▁`` in the text itself,
    which would otherwise come back as a space.

    Args:
        pieces: token and log-probability, in the order of their ids. Special and byte tokens are
            among them; their scores play no part.
        special_tokens: tokens that stand for themselves and never come out of segmentation.
        unknown: the token for characters without a piece; special. Not used with byte fallback.
        byte_fallback: whether such characters become bytes.
        normalizer: ``identity`` or ``nmt_nfkc``.
        squeeze: whether outer and repeated spaces are dropped, as SentencePiece does by default.
        prefix: whether a space is put in front, so that the first word is like all others.
        keep_marks: whether a ``▁`` in the text survives; False takes it for a space, as
            SentencePiece and Hugging Face do.
        arithmetic: ``float64`` scores word by word; ``float32`` scores the whole text at once in
            single precision, so that even ties broken by rounding fall as in SentencePiece.

    Raises:
        ValueError: the pieces, the special tokens and the options do not fit together.

    Source:
        Kudo 2018, arXiv:1804.10959.

    >>> pieces = [("<unk>", 0.0), ("▁", -2.0), ("a", -2.0), ("b", -2.0), ("▁ab", -3.0)]
    >>> tokenizer = Unigram(pieces, special_tokens=["<unk>"])
    >>> tokenizer.tokens("ab ba"), tokenizer.encode("ab c")
    (['▁ab', '▁', 'b', 'a'], [4, 1, 0])
    >>> tokenizer.decode(tokenizer.encode("ab ba"))
    'ab ba'
    """

    def __init__(
        self,
        pieces: Sequence[tuple[str, float]],
        special_tokens: Collection[str] = (),
        *,
        unknown: str = UNKNOWN,
        byte_fallback: bool = False,
        normalizer: Normalizer = "identity",
        squeeze: bool = False,
        prefix: bool = True,
        keep_marks: bool = True,
        arithmetic: Literal["float64", "float32"] = "float64",
    ) -> None:
        self.pieces = [(token, float(score)) for token, score in pieces]
        self.vocabulary = {token: i for i, (token, _) in enumerate(self.pieces)}
        self.special_tokens = check_special(special_tokens, self.vocabulary)
        self.unknown, self.byte_fallback, self.normalizer = unknown, byte_fallback, normalizer
        self.squeeze, self.prefix, self.arithmetic = squeeze, prefix, arithmetic
        self.keep_marks = keep_marks and byte_fallback and normalizer == "identity"
        aside = {*self.special_tokens, *(BYTE_TOKENS if byte_fallback else ())}
        self._check(aside)
        number = np.float32 if arithmetic == "float32" else float
        self._scores = {token: number(s) for token, s in self.pieces if token not in aside}
        self._unknown_score = number(min(self._scores.values()) - number(UNKNOWN_PENALTY))
        self._table = prefix_table(self._scores)
        self._mark_bytes = self._ids([MARK]) if self.keep_marks else []
        self._tokens = [token for token, _ in self.pieces]
        self._segment_word = lru_cache(_WORDS_REMEMBERED)(self._best)

    def _check(self, aside: set[str]) -> None:
        if len(self.vocabulary) != len(self.pieces):
            raise ValueError("pieces: expected each token once, got one twice.")
        if self.normalizer not in NORMALIZERS or self.arithmetic not in ("float64", "float32"):
            raise ValueError(
                f"normalizer and arithmetic: expected {' or '.join(NORMALIZERS)} and float64 or "
                f"float32, got {self.normalizer!r} and {self.arithmetic!r}."
            )
        missing = [token for token in BYTE_TOKENS if token not in self.vocabulary]
        if self.byte_fallback and missing:
            raise ValueError(f"pieces: expected all 256 byte tokens, got none for {missing[0]}.")
        if self.keep_marks and MARK not in self.vocabulary:
            raise ValueError(f"pieces: expected {MARK!r} among them, for it stands for a space.")
        if not self.byte_fallback and self.unknown not in self.special_tokens:
            raise ValueError(
                f"unknown: expected one of special_tokens, got {self.unknown!r}. Fix: name the "
                "token for unknown characters, or use byte_fallback"
            )
        scores = [score for token, score in self.pieces if token not in aside]
        if not scores or not all(map(math.isfinite, scores)):
            raise ValueError("pieces: expected at least one with a score, all finite.")

    def __len__(self) -> int:
        """Number of tokens, special ones and bytes included."""
        return len(self.vocabulary)

    def encode(self, text: str, allow_special: bool | Collection[str] = False) -> list[int]:
        """The ids of the most probable segmentation.

        Args:
            text: any text without lone surrogates.
            allow_special: which special tokens are recognised where the text spells them out.

        Raises:
            ValueError: the text holds half of a surrogate pair, or a name in ``allow_special`` is
                not a special token.
        """
        ids: list[int] = []
        for position, part in enumerate(split_special(text, self.special_tokens, allow_special)):
            if position % 2:
                ids.append(self.special_tokens[part])
                continue
            for number, stretch in enumerate(self._prepared(part, first=position == 0)):
                if number:
                    ids.extend(self._mark_bytes)
                ids.extend(self._ids(self._segment(stretch)))
        return ids

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text of token ids. Bytes that are no UTF-8 become ``�``, by Python's rule: one for
        each longest beginning of a character.

        Args:
            ids: token ids; a one-dimensional tensor will do.
            skip_special: whether special tokens are left out.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        names = [self._token(i) for i in map(index, ids)]
        kept = [name for name in names if not (skip_special and name in self.special_tokens)]
        text = b"".join(map(self._bytes, kept)).decode(errors="replace")
        marked = self.prefix and bool(names) and names[0] not in self.special_tokens
        return text.removeprefix(" ") if marked and names[0].startswith(MARK) else text

    def tokens(self, text: str, allow_special: bool | Collection[str] = False) -> list[str]:
        """The tokens of a text as labels: ``▁`` is a space, ``<0xE2>`` a byte."""
        return [self._tokens[i] for i in self.encode(text, allow_special)]

    def lattice(self, text: str) -> Lattice:
        """All segmentations of a text, for ``llm_course.tokenizers.lattice``."""
        return build_lattice(MARK.join(self._prepared(text)), self._table, self._unknown_score)

    def encode_n_best(self, text: str, n: int) -> list[tuple[list[int], float]]:
        """The ``n`` most probable segmentations as ids, with their log-probabilities."""
        return [(self._ids(pieces), score) for pieces, score in n_best(self.lattice(text), n)]

    def encode_sample(
        self, text: str, generator: torch.Generator, alpha: float = 0.1
    ) -> list[int]:
        """A random segmentation, ``∝ p ** alpha``: subword regularisation for training a model.

        Source:
            Kudo 2018, arXiv:1804.10959, section 3.3.
        """
        return self._ids(sample(self.lattice(text), generator, alpha))

    def log_likelihood(self, text: str) -> float:
        """The log of the text's probability, summed over all its segmentations."""
        return sum(
            forward(build_lattice(word, self._table, self._unknown_score))[-1]
            for stretch in self._prepared(text)
            for word in split_marks(stretch)
        )

    def _prepared(self, text: str, first: bool = True) -> list[str]:
        """Normalised and marked stretches; between two of them stands a literal ``▁``."""
        text = NORMALIZERS[self.normalizer](text)
        if self.squeeze:
            text = squeeze_spaces(text)
        parts = text.split(MARK) if self.keep_marks else [text]
        prefixes = [self.prefix and first, *[False] * (len(parts) - 1)]
        return [mark_spaces(*pair) for pair in zip(parts, prefixes, strict=True)]

    def _segment(self, stretch: str) -> list[str]:
        if self.arithmetic == "float32":
            return list(self._best(stretch))
        return [piece for word in split_marks(stretch) for piece in self._segment_word(word)]

    def _best(self, word: str) -> tuple[str, ...]:
        return tuple(viterbi(build_lattice(word, self._table, self._unknown_score)))

    def _ids(self, pieces: Iterable[str]) -> list[int]:
        """Ids of pieces; what is unknown becomes bytes, or one unknown token for a run."""
        ids: list[int] = []
        for known, run in groupby(pieces, self._scores.__contains__):
            if known:
                ids.extend(map(self.vocabulary.__getitem__, run))
            elif self.byte_fallback:
                ids.extend(self.vocabulary[BYTE_TOKENS[byte]] for byte in _utf8("".join(run)))
            else:
                ids.append(self.vocabulary[self.unknown])
        return ids

    def _token(self, token_id: int) -> str:
        if not 0 <= token_id < len(self._tokens):
            raise ValueError(
                f"id: expected one of the {len(self)} ids of the vocabulary, got {token_id}."
            )
        return self._tokens[token_id]

    def _bytes(self, token: str) -> bytes:
        """The bytes that a token stands for."""
        if self.byte_fallback and token in _BYTES:
            return _BYTES[token]
        return token.encode() if token in self.special_tokens else token.replace(MARK, " ").encode()


_BYTES = {token: bytes([byte]) for byte, token in enumerate(BYTE_TOKENS)}


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text: expected whole characters, got half of a surrogate pair in {text!r}. "
            "Fix: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from error
