"""The Unigram tokenizer: a text's tokens are its most probable segmentation into pieces.

Each piece has a probability of its own and a segmentation's is their product. Training is in
``unigram_training``; leaves out SentencePiece's user-defined pieces, which are special tokens here.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import index
from typing import TYPE_CHECKING, Literal

import numpy as np

from llm_course.tokenizers.base import check_special, split_special
from llm_course.tokenizers.byte_fallback import BYTE_OF, BYTE_TOKENS, byte_tokens
from llm_course.tokenizers.lattice import (
    Lattice,
    build_lattice,
    forward,
    n_best,
    prefix_table,
    sample,
    viterbi,
)
from llm_course.tokenizers.metaspace import MARK, Preparation, split_marks

if TYPE_CHECKING:
    import torch

UNKNOWN = "<unk>"
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
        prepare: what is done to a text first.
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
        prepare: Preparation = Preparation(),  # noqa: B008 (it is frozen)
        keep_marks: bool = True,
        arithmetic: Literal["float64", "float32"] = "float64",
    ) -> None:
        self.pieces = [(token, float(score)) for token, score in pieces]
        self.vocabulary = {token: i for i, (token, _) in enumerate(self.pieces)}
        self.special_tokens = check_special(special_tokens, self.vocabulary)
        self.unknown, self.byte_fallback, self.prepare = unknown, byte_fallback, prepare
        self.arithmetic = arithmetic
        self.keep_marks = keep_marks and byte_fallback
        aside = {*self.special_tokens, *(BYTE_TOKENS if byte_fallback else ())}
        self._check(aside)
        number = np.float32 if arithmetic == "float32" else float
        self._scores = {token: number(s) for token, s in self.pieces if token not in aside}
        self._unknown_score = number(min(self._scores.values()) - number(UNKNOWN_PENALTY))
        self._table = prefix_table(self._scores)
        self._mark_bytes = self._byte_ids(MARK) if self.keep_marks else []
        self._tokens = [token for token, _ in self.pieces]
        self._segment_word = lru_cache(_WORDS_REMEMBERED)(self._best)

    def _check(self, aside: set[str]) -> None:
        if len(self.vocabulary) != len(self.pieces):
            raise ValueError("pieces: expected each token once, got one twice.")
        if self.arithmetic not in ("float64", "float32"):
            raise ValueError(f"arithmetic: expected float64 or float32, got {self.arithmetic!r}.")
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
        parts = split_special(text, self.special_tokens, allow_special)
        for position, part in enumerate(parts):
            if position % 2:
                ids.append(self.special_tokens[part])
            else:
                ids.extend(self._joined(map(self._segment, self._prepared(part))))
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
        skipped = self.special_tokens if skip_special else ()
        # An unknown token stands in the middle of a text: no mark was put behind it.
        parting = {*self.special_tokens} - ({self.unknown} if not self.byte_fallback else set())
        text = ""
        for parts, run in groupby(map(self._token, map(index, ids)), parting.__contains__):
            tokens = list(run)
            spelled = self._spell([token for token in tokens if token not in skipped])
            put = not parts and self.prepare.prefix != "never" and tokens[0].startswith(MARK)
            text += spelled.removeprefix(" ") if put else spelled
        return text

    def tokens(self, text: str, allow_special: bool | Collection[str] = False) -> list[str]:
        """The tokens of a text as labels: ``▁`` is a space, ``<0xE2>`` a byte."""
        return [self._tokens[i] for i in self.encode(text, allow_special)]

    def lattice(self, text: str) -> Lattice:
        """All segmentations of a text, a ``▁`` in it taken for a space.

        The functions of ``llm_course.tokenizers.lattice`` take it.
        """
        return self._lattice(MARK.join(self._prepared(text)))

    def encode_n_best(self, text: str, n: int) -> list[tuple[list[int], float]]:
        """The ``n`` most probable segmentations as ids, with their log-probabilities."""
        return [(self._ids(pieces), score) for pieces, score in n_best(self.lattice(text), n)]

    def encode_sample(
        self, text: str, generator: "torch.Generator", alpha: float = 0.1
    ) -> list[int]:
        """A random segmentation, ``∝ p ** alpha``: subword regularisation for training a model.

        Source:
            Kudo 2018, arXiv:1804.10959, section 3.3.
        """
        lattices = map(self._lattice, self._prepared(text))
        return self._joined(sample(lattice, generator, alpha) for lattice in lattices)

    def log_likelihood(self, text: str) -> float:
        """The log of the text's probability, summed over all its segmentations."""
        return sum(
            forward(self._lattice(word))[-1]
            for stretch in self._prepared(text)
            for word in split_marks(stretch)
        )

    def _prepared(self, text: str) -> list[str]:
        """Normalised and marked stretches; between two of them stands a literal ``▁``."""
        if not self.keep_marks:
            return [self.prepare(text)]
        first, *rest = self.prepare.normalize(text).split(MARK)
        return [self.prepare.mark(first), *(part.replace(" ", MARK) for part in rest)]

    def _segment(self, stretch: str) -> list[str]:
        if self.arithmetic == "float32":
            return list(self._best(stretch))
        return [piece for word in split_marks(stretch) for piece in self._segment_word(word)]

    def _best(self, word: str) -> tuple[str, ...]:
        return tuple(viterbi(self._lattice(word)))

    def _lattice(self, stretch: str) -> Lattice:
        return build_lattice(stretch, self._table, self._unknown_score)

    def _joined(self, stretches: Iterable[Sequence[str]]) -> list[int]:
        """The ids of all stretches, a literal mark between each two."""
        parts = [self._ids(pieces) for pieces in stretches]
        marks = [[], *[self._mark_bytes] * len(parts)]
        return [i for mark, ids in zip(marks, parts, strict=False) for i in (*mark, *ids)]

    def _ids(self, pieces: Iterable[str]) -> list[int]:
        """Ids of pieces; what is unknown becomes bytes, or one unknown token for a run."""
        ids: list[int] = []
        for known, run in groupby(pieces, self._scores.__contains__):
            if known:
                ids.extend(map(self.vocabulary.__getitem__, run))
            elif self.byte_fallback:
                ids.extend(self._byte_ids("".join(run)))
            else:
                ids.append(self.vocabulary[self.unknown])
        return ids

    def _byte_ids(self, text: str) -> list[int]:
        return [self.vocabulary[token] for token in byte_tokens(text)]

    def _token(self, token_id: int) -> str:
        if not 0 <= token_id < len(self._tokens):
            raise ValueError(
                f"id: expected one of the {len(self)} ids of the vocabulary, got {token_id}."
            )
        return self._tokens[token_id]

    def _spell(self, tokens: list[str]) -> str:
        """The text of tokens."""
        known = dict(BYTE_OF) if self.byte_fallback else {}
        known |= {token: token.encode() for token in self.special_tokens}
        spelled = [known.get(token) or token.replace(MARK, " ").encode() for token in tokens]
        return b"".join(spelled).decode(errors="replace")
