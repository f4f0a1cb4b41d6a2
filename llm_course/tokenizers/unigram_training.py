"""Train a Unigram tokenizer: substrings as seeds, then EM and pruning in turn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from llm_course.tokenizers.byte_fallback import BYTE_TOKENS
from llm_course.tokenizers.metaspace import MARK, Preparation
from llm_course.tokenizers.unigram import UNKNOWN, Unigram
from llm_course.tokenizers.unigram_corpus import (
    Stretches,
    count_words,
    covered_characters,
    cut_stretches,
)
from llm_course.tokenizers.unigram_pruning import choose_pieces, path_counts, pruning_losses
from llm_course.tokenizers.unigram_seeds import find_seeds
from llm_course.tokenizers.word_lattices import (
    SPAN,
    WordLattices,
    best_paths,
    build_lattices,
    expected_counts,
)

FEWEST_USES = 0.5
"""A piece that is expected to be used less often than this is dropped, as in SentencePiece."""

SPARE = 1.1
"""Pruning stops at 1.1 times the size wanted; the last cut is by probability."""


@dataclass(frozen=True, kw_only=True)
class PieceTable:
    """The vocabulary while it shrinks.

    Shapes:
        ``places``, ``lengths``, ``scores``: ``(pieces,)``: where each is spelled in the corpus,
        its length, its log-probability. Single characters come first and are never dropped.
        ``table``: ``(characters, max_length)``: the piece that begins there, by length; or -1.
    """

    places: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray
    table: np.ndarray
    n_characters: int

    def keep(self, pieces: np.ndarray, words: WordLattices) -> tuple["PieceTable", WordLattices]:
        """Only these pieces, and the words' lattices without the others."""
        number = np.full(len(self.scores) + 1, -1, self.table.dtype)  # the last: for -1 itself
        number[pieces] = np.arange(len(pieces))
        smaller = replace(
            self,
            places=self.places[pieces],
            lengths=self.lengths[pieces],
            scores=self.scores[pieces],
            table=number[self.table],
        )
        return smaller, words.keep(np.flatnonzero(number[words.piece] >= 0), number)


def maximise(counts: np.ndarray, digamma: bool = True) -> np.ndarray:
    """The maximisation step: the log-probability of each piece from its expected count.

    Plain EM takes ``log c - log Σc``. SentencePiece takes ``ψ(c) - ψ(Σc)`` with the digamma
    function ψ: the variational Bayes step under a Dirichlet prior, which makes rare pieces
    rarer (``ψ(c) ≈ log(c - 1/2)``) and so prunes harder. It may lower the likelihood; plain EM
    never does.

    Args:
        counts: expected counts, ``(pieces,)``.
        digamma: which of the two.

    Source:
        Liang and Klein 2007, *Structured Bayesian Nonparametric Models with Variational
        Inference* (the digamma step).

    >>> maximise(np.array([3.0, 1.0]), digamma=False).round(3).tolist()
    [-0.288, -1.386]
    >>> maximise(np.array([3.0, 1.0])).round(3).tolist()  # ψ(3) - ψ(4) = -1/3
    [-0.333, -1.833]
    """
    if digamma:
        psi = torch.special.digamma(torch.from_numpy(np.append(counts, counts.sum()))).numpy()
        return psi[:-1] - psi[-1]
    with np.errstate(divide="ignore"):
        return np.log(counts) - np.log(counts.sum())


def learn_pieces(
    corpus: Stretches,
    size: int,
    *,
    max_length: int = SPAN,
    max_seeds: int = 1_000_000,
    shrink: float = 0.75,
    sub_iterations: int = 2,
    digamma: bool = True,
) -> list[tuple[str, float]]:
    """The pieces of a corpus with their log-probabilities, most probable first.

    Args:
        corpus: the distinct stretches of text.
        size: how many pieces.
        max_length: characters of the longest piece, at most 16.
        max_seeds: how many seeds at most.
        shrink: the share of pieces that one pruning leaves.
        sub_iterations: EM steps between two prunings.
        digamma: the maximisation step, see ``maximise``.

    Raises:
        ValueError: the corpus has more characters than ``size``, or too few pieces.
    """
    if not 1 <= max_length <= SPAN:
        raise ValueError(f"max_length: expected 1 to {SPAN}, got {max_length}.")
    if not 0 < shrink < 1 or sub_iterations < 1:
        raise ValueError(
            f"shrink: expected a share above 0 and below 1, got {shrink}; sub_iterations: expected "
            f"at least 1, got {sub_iterations}."
        )
    seeds = find_seeds(corpus, max_length, max_seeds)
    if seeds.n_characters > size:
        raise ValueError(
            f"vocab_size: expected room for the {seeds.n_characters} characters of the texts, "
            f"got {size} places for pieces. Fix: a larger vocab_size or a lower coverage"
        )
    pieces = PieceTable(
        places=seeds.places, lengths=seeds.lengths, table=seeds.table,
        scores=np.log(seeds.scores / seeds.scores.sum()), n_characters=seeds.n_characters,
    )  # fmt: skip
    words = build_lattices(corpus.starts, corpus.lengths, pieces.table)
    counts = corpus.counts[words.order]
    wanted = int(size * SPARE)
    while True:
        for _ in range(sub_iterations):
            pieces, words = _em_step(pieces, words, counts, digamma)
        if len(pieces.scores) <= wanted:
            break
        kept = max(wanted, int(shrink * len(pieces.scores)))
        pieces, words = _prune(pieces, words, counts, kept)
    return _finish(pieces, corpus.text, size)


def _em_step(
    pieces: PieceTable, words: WordLattices, counts: np.ndarray, digamma: bool
) -> tuple[PieceTable, WordLattices]:
    """One EM step, without the pieces that are hardly used; characters count at least so much."""
    expected, _ = expected_counts(words, np.exp(pieces.scores), counts)
    characters = np.arange(len(expected)) < pieces.n_characters
    kept = np.flatnonzero(characters | (expected >= FEWEST_USES))
    pieces, words = pieces.keep(kept, words)
    scores = maximise(np.maximum(expected[kept], FEWEST_USES), digamma)
    return replace(pieces, scores=scores), words


def _prune(
    pieces: PieceTable, words: WordLattices, counts: np.ndarray, size: int
) -> tuple[PieceTable, WordLattices]:
    """The ``size`` pieces whose loss would cost most."""
    _, back = best_paths(words, pieces.scores)
    used = path_counts(words, back, counts, len(pieces.scores))
    longer = slice(pieces.n_characters, None)
    spelled = build_lattices(pieces.places[longer], pieces.lengths[longer], pieces.table)
    itself = spelled.piece == pieces.n_characters + spelled.order[_word_of(spelled)]
    spelled = spelled.keep(np.flatnonzero(~itself), np.arange(len(pieces.scores)))
    loss = pruning_losses(used, pieces.scores, spelled)
    return pieces.keep(choose_pieces(loss, size), words)


def _word_of(lattices: WordLattices) -> np.ndarray:
    """The word of each edge, in the order of the lattices."""
    position = np.searchsorted(lattices.node, lattices.start, side="right") - 1
    return lattices.start - lattices.node[position]


def _finish(pieces: PieceTable, text: str, size: int) -> list[tuple[str, float]]:
    """The characters and the most probable of the others."""
    if len(pieces.scores) < size:
        raise ValueError(
            f"vocab_size: expected at most {len(pieces.scores)} places for pieces, for the texts "
            f"have no more that are worth it, got {size}. Fix: a smaller vocab_size or more text"
        )
    order = np.lexsort((-pieces.scores, np.arange(len(pieces.scores)) >= pieces.n_characters))
    kept = order[:size]
    kept = kept[np.argsort(-pieces.scores[kept], kind="stable")].tolist()
    places, lengths = pieces.places.tolist(), pieces.lengths.tolist()
    return [(text[places[i] : places[i] + lengths[i]], float(pieces.scores[i])) for i in kept]


def train_unigram(
    texts: Iterable[str],
    vocab_size: int,
    *,
    special_tokens: Sequence[str] = (UNKNOWN,),
    byte_fallback: bool = True,
    prepare: Preparation = Preparation(),  # noqa: B008 (it is frozen)
    coverage: float = 0.9995,
    **options: float,
) -> Unigram:
    """Learn a Unigram tokenizer.

    Args:
        texts: the corpus.
        vocab_size: how many tokens in all: special ones, the 256 bytes if they are wanted, pieces.
        special_tokens: tokens that stand for themselves; they take the first ids. One of them
            must be ``<unk>`` if there is no byte fallback.
        byte_fallback: whether what no piece spells is written as UTF-8 bytes.
        prepare: what is done to a text first; by default nothing that loses anything.
        coverage: the share of the text's characters that get a piece of their own.
        options: see ``learn_pieces``.

    Raises:
        TypeError: ``texts`` is one text.
        ValueError: the texts are empty, ``vocab_size`` is too small or too large for them, or an
            option is out of its range.

    Source:
        Kudo 2018, arXiv:1804.10959, section 3.2.

    >>> tokenizer = train_unigram(["low lower lowest " * 9], 10, byte_fallback=False)
    >>> len(tokenizer), tokenizer.decode(tokenizer.encode("slow rose"))
    (10, 'slow rose')
    """
    if isinstance(texts, str):
        raise TypeError("texts: expected several texts, got one str. Fix: [text]")
    if len(set(special_tokens)) != len(special_tokens):
        raise ValueError(f"special_tokens: expected different tokens, got {list(special_tokens)}.")
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage: expected a share above 0, at most 1, got {coverage}.")
    words = count_words(texts, prepare.normalizer)
    corpus = cut_stretches(words, covered_characters(words, coverage) | {MARK})
    fixed = [*special_tokens, *(BYTE_TOKENS if byte_fallback else ())]
    pieces = learn_pieces(corpus, vocab_size - len(fixed), **options)
    return Unigram(
        [*((token, 0.0) for token in fixed), *pieces],
        special_tokens=special_tokens,
        byte_fallback=byte_fallback,
        prepare=prepare,
    )
