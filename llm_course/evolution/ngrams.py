"""n-grams: how often each token followed each history, and probabilities with a constant added.

A text is padded with ``order - 1`` start symbols and one end symbol, so that every token has a
history of full length. The start is never predicted: it has no probability.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

START = -1
"""Stands before a text; no token has this id."""

Counts = Mapping[tuple[int, ...], Counter[int]]


def histories(
    text: Sequence[int], order: int, end_id: int
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Every token of a text, the end included, with the ``order - 1`` before it.

    Args:
        text: token ids, without start and end.
        order: tokens of an n-gram.
        end_id: the token that ends a text.

    Raises:
        ValueError: the order is below 1, or a token is no id.

    >>> list(histories([7, 8], order=3, end_id=0))
    [((-1, -1), 7), ((-1, 7), 8), ((7, 8), 0)]
    """
    if order < 1:
        raise ValueError(f"order: expected 1 or more, got {order}.")
    if any(token < 0 for token in text):
        raise ValueError(f"text: expected token ids of 0 or more, got {min(text)}.")
    padded = (START,) * (order - 1) + tuple(text) + (end_id,)
    for place in range(order - 1, len(padded)):
        yield padded[place - order + 1 : place], padded[place]


def count_ngrams(texts: Iterable[Sequence[int]], order: int, end_id: int) -> Counts:
    """How often each token came after each history.

    Args:
        texts: token ids of each text.
        order: tokens of an n-gram.
        end_id: the token that ends a text.

    Raises:
        ValueError: as ``histories``.

    >>> dict(count_ngrams([[7, 7]], order=2, end_id=0))
    {(-1,): Counter({7: 1}), (7,): Counter({7: 1, 0: 1})}
    """
    counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for text in texts:
        for history, token in histories(text, order, end_id):
            counts[history][token] += 1
    return counts


def add_k_probability(
    counts: Counts, history: tuple[int, ...], token: int, vocab_size: int, k: float = 1.0
) -> float:
    """``(c(h w) + k) / (c(h) + k V)``: as if every token had been seen k times more.

    Args:
        counts: from ``count_ngrams``.
        history: the tokens before, as many as in the counts.
        token: the next one.
        vocab_size: how many tokens there are, the end included.
        k: what is added; 1 is Laplace's rule.

    Raises:
        ValueError: k is not positive.

    Source:
        Jurafsky and Martin 2024, *Speech and Language Processing*, section 3.6.

    >>> counts = count_ngrams([[7, 7]], order=2, end_id=0)
    >>> add_k_probability(counts, (7,), 7, vocab_size=2)
    0.5
    """
    if not k > 0:
        raise ValueError(f"k: expected a positive number, got {k}.")
    seen = counts.get(history, Counter())
    return (seen[token] + k) / (seen.total() + k * vocab_size)
