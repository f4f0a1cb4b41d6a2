"""One step of each tokenizer on plain lists and dictionaries, small enough to follow by hand.

The trainers do the same for millions of words at once, over indices and arrays; where one of
their functions can be asked, it is.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from llm_course.tokenizers.bpe_merging import merge_word
from llm_course.tokenizers.lattice import (
    Lattice,
    build_lattice,
    forward,
    piece_expectations,
    prefix_table,
    viterbi,
)
from llm_course.tokenizers.wordpiece import CONTINUES
from llm_course.tokenizers.wordpiece_pairs import Pairs
from llm_course.tokenizers.wordpiece_training import common_score, likelihood_gain

_HARDLY = -1e30
"""The score of a character that is no piece: on the best path only where nothing else fits."""


def merge_pair(word: Sequence[str], pair: tuple[str, str], token: str) -> list[str]:
    """Put one token in the place of every such pair, from left to right.

    >>> merge_pair(["a", "a", "a", "b"], ("a", "a"), "aa")
    ['aa', 'a', 'b']
    """
    merged, at = [], 0
    while at < len(word):
        found = tuple(word[at : at + 2]) == pair
        merged.append(token if found else word[at])
        at += 2 if found else 1
    return merged


def bpe_merge_step(
    words: Sequence[list[str]], counts: Sequence[int]
) -> tuple[tuple[str, str] | None, Sequence[list[str]]]:
    """Merge the commonest pair of neighbours in all words; of equals, the first in sorted order.

    ``(a, b)* = argmax Σ_w n_w · #{i : w_i = a, w_{i+1} = b}``

    Args:
        words: each a list of tokens.
        counts: how often each word occurs.

    Returns:
        The pair and the new words; None and the words as they were if no word has two tokens.

    Raises:
        ValueError: there are not as many counts as words.

    Source:
        Sennrich et al. 2016, arXiv:1508.07909, algorithm 1.

    >>> bpe_merge_step([["h", "u", "g"], ["p", "u", "n"], ["b", "u", "n"]], [10, 5, 6])
    (('u', 'n'), [['h', 'u', 'g'], ['p', 'un'], ['b', 'un']])
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in pairwise(word):
            pairs[pair] += count
    if not pairs:
        return None, words
    best = min(pairs, key=lambda pair: (-pairs[pair], pair))
    return best, [merge_pair(word, best, "".join(best)) for word in words]


def bpe_encode(text: str, merges: Sequence[tuple[int, int]]) -> list[int]:
    """The ids of a text taken as one word: its bytes, merged; merge ``k`` makes ``256 + k``.

    >>> bpe_encode("abab", [(97, 98), (256, 97)]), bpe_encode("aba", [(97, 98), (256, 97)])
    ([256, 256], [257])
    """
    ranks = {tuple(pair): (k, 256 + k) for k, pair in enumerate(merges)}
    return merge_word(list(text.encode()), ranks)


def wordpiece_score(
    words: Sequence[list[str]], counts: Sequence[int], pair: tuple[str, str]
) -> tuple[float, float]:
    """WordPiece's two scores of a pair: ``c / (n_a n_b)``, and the gain in log-likelihood.

    Args:
        words: each a list of tokens; ``##`` marks those that continue a word.
        counts: how often each word occurs.
        pair: two tokens.

    Returns:
        The score and the gain in nats; zeros for a pair that never meets.

    Raises:
        ValueError: there are not as many counts as words.

    Source:
        Schuster and Nakajima 2012, *Japanese and Korean voice search*, section 3.

    >>> score, gain = wordpiece_score([["a", "##b"]], [2], ("a", "##b"))
    >>> score, round(gain, 4)  # 2 / (2 · 2), and 4 log 2
    (0.5, 2.7726)
    """
    token = pair[0] + pair[1].removeprefix(CONTINUES)
    n: Counter[str] = Counter()
    met = 0
    for word, count in zip(words, counts, strict=True):
        for each in word:
            n[each] += count
        met += count * (len(word) - len(merge_pair(word, pair, token)))
    if not met:
        return 0.0, 0.0
    numbers = [met, n[pair[0]], n[pair[1]], n[token], pair[0] == pair[1]]
    one = Pairs(*(np.array([number]) for number in numbers), total=n.total())
    return common_score(one).item(), likelihood_gain(one).item()


def unigram_viterbi(text: str, scores: Mapping[str, float]) -> tuple[list[str] | None, float]:
    """The most probable segmentation and its log-probability.

    Args:
        text: what is cut.
        scores: log-probability of each piece.

    Returns:
        The pieces and the sum of their scores, ``(None, -inf)`` where they cannot spell the text.

    Source:
        Kudo 2018, arXiv:1804.10959, equation 2.

    >>> unigram_viterbi("abc", {"a": -1.0, "bc": -1.5, "ab": -1.0, "c": -2.0})
    (['a', 'bc'], -2.5)
    """
    pieces = viterbi(_lattice(text, scores))
    if any(piece not in scores for piece in pieces):
        return None, -math.inf
    return pieces, sum((scores[piece] for piece in pieces), start=0.0)


def unigram_em_step(
    counts: Mapping[str, int], probabilities: Mapping[str, float]
) -> tuple[dict[str, float], float]:
    """One step of EM over the pieces' probabilities, without the digamma of the trainer.

    ``p_new(x) = E[uses of x] / Σ E``, and the log-likelihood of what it began with,
    ``Σ_w n_w log α_w(last)``.

    Args:
        counts: how often each word occurs; the pieces can spell every word.
        probabilities: of each piece.

    Returns:
        A new probability for every piece, 0 for one that is not used; the log-likelihood before.

    Source:
        Kudo 2018, arXiv:1804.10959, section 3.2.

    >>> new, before = unigram_em_step({"ab": 1}, {"a": 0.5, "b": 0.5, "ab": 0.25})
    >>> new, round(math.exp(before), 4)  # both ways weigh 1/4
    ({'a': 0.333..., 'b': 0.333..., 'ab': 0.333...}, 0.5)
    """
    scores = {piece: math.log(p) for piece, p in probabilities.items() if p > 0}
    expected, log_likelihood = dict.fromkeys(probabilities, 0.0), 0.0
    for word, count in counts.items():
        lattice = _lattice(word, scores)
        for piece, uses in piece_expectations(lattice).items():
            if piece in expected:
                expected[piece] += count * uses
        log_likelihood += count * forward(lattice)[-1]
    total = sum(expected.values())
    return {piece: uses / total for piece, uses in expected.items()}, log_likelihood


def _lattice(text: str, scores: Mapping[str, float]) -> Lattice:
    return build_lattice(text, prefix_table(dict(scores)), unknown=_HARDLY)
