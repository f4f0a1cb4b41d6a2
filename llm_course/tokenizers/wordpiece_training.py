r"""Learning WordPiece's pieces: by the gain in likelihood, or by the score in common use.

Both begin with single characters and merge one pair at a time. They differ in which pair is best.
With ``n_t`` the number of times token ``t`` is in the corpus, ``N`` their sum, and ``c`` how often
``b`` follows ``a``:

- *likelihood*: by how much the log-likelihood ``Σ n_t log(n_t / N)`` of the corpus under its own
  token frequencies rises when the pair is merged. That is about ``c · (PMI(a, b) - 1)`` where the
  pair is a small part of both its halves.
- *score*: ``c / (n_a n_b)``, which is ``exp(PMI(a, b)) / N``. It forgets how often the pair
  occurs, and so prefers rare pairs: two letters that are seen only together, once, are the best.

Source:
    Schuster and Nakajima 2012, *Japanese and Korean voice search*, section 3 (the likelihood).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np

from llm_course.tokenizers.base import each_text
from llm_course.tokenizers.bert_words import bert_words
from llm_course.tokenizers.wordpiece import BERT_SPECIAL, CONTINUES, WordPiece
from llm_course.tokenizers.wordpiece_pairs import Pairs, PairTable

Score = Literal["likelihood", "score"]


class Step(NamedTuple):
    """One merge: its halves, how often they met, and how good that was."""

    left: str
    right: str
    count: int
    gain: float


def plogp(n: np.ndarray) -> np.ndarray:
    """``n log n``, in nats, and 0 for 0."""
    return n * np.log(np.maximum(n, 1))


def likelihood_gain(pairs: Pairs) -> np.ndarray:
    """How many nats the log-likelihood of the corpus rises by if a pair is merged.

    Of ``Σ n_t log n_t − N log N`` those terms change that hold the two tokens, the one they become,
    and ``N``.

    Shapes:
        The result and each array of ``pairs``: (pairs,).

    >>> one = Pairs(*map(np.array, ([2], [2], [2], [0], [False])), total=4)
    >>> likelihood_gain(one).round(4)  # 4 log 4 − 2 · 2 log 2
    array([2.7726])
    """
    count, left, right, merged, alike, total = pairs
    lost = np.where(alike, 2 * count, count)  # Two of one token, or one of each.
    gain = plogp(left - lost) - plogp(left)
    gain += np.where(alike, 0.0, plogp(right - count) - plogp(right))
    gain += plogp(merged + count) - plogp(merged)
    return gain + plogp(np.array(total)) - plogp(total - count)


def common_score(pairs: Pairs) -> np.ndarray:
    """``c / (n_a n_b)``.

    >>> common_score(Pairs(*map(np.array, ([2], [4], [2], [0], [False])), total=9))
    array([0.25])
    """
    return pairs.count / (pairs.left * pairs.right)


SCORES = {"likelihood": likelihood_gain, "score": common_score}


def learn_pieces(
    counts: Mapping[str, int], vocabulary: dict[str, int], score: Score = "likelihood"
) -> Iterator[Step]:
    """Merge the best pair, again and again; the vocabulary grows by each new token.

    Stops when no merge is an improvement. Equals are decided by the count, then by the ids.

    Args:
        counts: how often each word occurs.
        vocabulary: the first tokens, every character of the words among them.
        score: what makes a pair the best.

    >>> counts, letters = {"hug": 5, "hup": 1, "up": 2}, ["h", "u", "##g", "##p", "##u"]
    >>> for score in SCORES:
    ...     vocabulary = {letter: token_id for token_id, letter in enumerate(letters)}
    ...     print(score, next(learn_pieces(counts, vocabulary, score))[:3])
    likelihood ('h', '##u', 6)
    score ('u', '##p', 2)
    """
    table = PairTable(counts, vocabulary, CONTINUES)
    while True:
        pair, gain = table.best(SCORES[score])
        if gain <= 0:
            return
        step = Step(*table.tokens_of(pair), table.count_of(pair), gain)
        table.merge(pair)
        yield step


def train_wordpiece(
    texts: Iterable[str],
    vocab_size: int,
    *,
    score: Score = "likelihood",
    lowercase: bool = True,
    special_tokens: Collection[str] = BERT_SPECIAL,
) -> WordPiece:
    """Learn a WordPiece tokenizer.

    The special tokens have the first ids, then come the characters, sorted, and the merges. How
    the pieces were merged is forgotten: the tokenizer takes the longest that fit.

    Args:
        texts: the corpus.
        vocab_size: number of tokens, special ones included; fewer if no merge is left that helps.
        score: what makes a pair the best to merge.
        lowercase: take off capitals and accents.
        special_tokens: tokens that stand for themselves, ``[UNK]`` among them.

    Raises:
        ValueError: the corpus holds no word, ``vocab_size`` has no room for the special tokens
            and the characters, or ``score`` is unknown.

    >>> tokenizer = train_wordpiece(["hug hugs pug pugs"], vocab_size=12)
    >>> tokenizer.tokens("hugs")
    ['hug', '##s']
    """
    if score not in SCORES:
        raise ValueError(f"score: expected {' or '.join(SCORES)}, got {score!r}.")
    counts = Counter(word for text in each_text(texts) for word in bert_words(text, lowercase))
    if not counts:
        raise ValueError("texts: expected some words, got none. Fix: give at least one word")
    characters = {word[0] for word in counts}
    characters |= {CONTINUES + character for word in counts for character in word[1:]}
    first = [*special_tokens, *sorted(characters - set(special_tokens))]
    if vocab_size < len(first):
        raise ValueError(
            f"vocab_size: expected at least {len(first)} ({len(characters)} characters and "
            f"{len(special_tokens)} special tokens), got {vocab_size}. "
            "Fix: allow more, or leave rare characters out of the texts"
        )
    vocabulary = {token: token_id for token_id, token in enumerate(first)}
    steps = learn_pieces(counts, vocabulary, score)
    while len(vocabulary) < vocab_size and next(steps, None):
        pass
    return WordPiece(vocabulary, special_tokens, lowercase)
