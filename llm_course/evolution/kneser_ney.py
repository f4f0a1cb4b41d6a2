"""Interpolated Kneser-Ney smoothing, the strongest model of the counting age.

A fixed discount is taken from every count, and what is saved goes to shorter histories. There it is
shared out not by how often a token came but by how many *different* tokens it came after:
"Francisco" is frequent, and follows "San" only. Leaves out the three discounts of the modified
form.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from llm_course.evolution.ngrams import START, Counts, count_ngrams


class KneserNey:
    """Probabilities of the next token after any history.

    With ``c`` the counts of the longest n-grams, and for shorter ones the number of different
    tokens before them:

    ``P(w | h) = max(c(h w) - d, 0) / c(h) + d n(h) / c(h) * P(w | h')``

    where ``n(h)`` is how many different tokens follow ``h``, and ``h'`` is ``h`` without its first
    token. The shortest history is followed by the uniform distribution.

    Args:
        texts: token ids of each text, without start and end.
        order: tokens of an n-gram, the predicted one included.
        vocab_size: how many tokens there are, the end included.
        end_id: the token that ends a text.
        discount: what is taken from every count.

    Raises:
        ValueError: a number is out of range, or there is no text.

    Source:
        Chen and Goodman 1999, Computer Speech and Language 13, 359-394, eq. 26 and section 2.7;
        Kneser and Ney 1995.

    >>> model = KneserNey([[1, 2], [1, 2], [3, 2]], order=2, vocab_size=4, end_id=0)
    >>> round(model.probability((1,), 2), 4)  # 1.25/2 + 0.75/2 * P(2), which follows 2 of 5 kinds
    0.775
    """

    def __init__(
        self,
        texts: Iterable[Sequence[int]],
        order: int,
        vocab_size: int,
        end_id: int,
        discount: float = 0.75,
    ) -> None:
        if not 0 < discount < 1:
            raise ValueError(f"discount: expected between 0 and 1, got {discount}.")
        if not 0 <= end_id < vocab_size:
            raise ValueError(f"end_id: expected 0 to {vocab_size - 1}, got {end_id}.")
        self.order, self.vocab_size, self.discount = order, vocab_size, discount
        levels = [count_ngrams(texts, order, end_id)]
        if not levels[0]:
            raise ValueError("texts: expected at least one, got none.")
        while len(levels) < order:
            levels.append(_continuations(levels[-1]))
        self._levels = levels  # of the longest histories first
        self._totals = [{h: seen.total() for h, seen in level.items()} for level in levels]

    def probability(self, history: Sequence[int], token: int) -> float:
        """How likely a token is after a history, of which the last ``order - 1`` tokens count.

        A history that is shorter stands at the beginning of a text.

        Raises:
            ValueError: the token is not in the vocabulary.
        """
        if not 0 <= token < self.vocab_size:
            raise ValueError(f"token: expected 0 to {self.vocab_size - 1}, got {token}.")
        padded = (START,) * (self.order - 1) + tuple(history)
        longest = padded[len(padded) - self.order + 1 :]
        found = 1 / self.vocab_size
        for level in reversed(range(self.order)):  # the shortest history first
            known = longest[level:]
            total = self._totals[level].get(known)
            if total is None:  # never seen: what the shorter history says
                continue
            seen = self._levels[level][known]
            kept = max(seen[token] - self.discount, 0)
            found = (kept + self.discount * len(seen) * found) / total
        return found


def kneser_ney_bigram(counts: Tensor, discount: float = 0.75) -> Tensor:
    """All probabilities of the bigram model at once, from a table of counts.

    ``P(w | h) = max(c(h w) - d, 0) / c(h) + d n(h) / c(h) * P(w)``, and ``P(w)`` alike, with the
    number of different tokens before ``w`` in place of the count, and ``1 / V`` behind it. A
    history without counts has ``P(w)``.

    Args:
        counts: how often each token (column) came after each (row).
        discount: what is taken from every count.

    Shapes:
        counts ``h v``, one row for each history; returns ``h v``, fp64, every row a distribution.

    Raises:
        ValueError: the discount is not between 0 and 1, or there are no counts.

    Source:
        Chen and Goodman 1999, Computer Speech and Language 13, 359-394, section 2.7.

    >>> kneser_ney_bigram(torch.tensor([[0, 3], [1, 0]]), discount=0.5)  # P(w) is 1/2 for both
    tensor([[0.0833, 0.9167],
            [0.7500, 0.2500]], dtype=torch.float64)
    """
    if not 0 < discount < 1:
        raise ValueError(f"discount: expected between 0 and 1, got {discount}.")
    if not bool((counts > 0).any()):
        raise ValueError("counts: expected at least one above 0, got none.")
    counts = counts.double()
    kinds_before = (counts > 0).sum(dim=0).double()
    uniform = torch.full_like(kinds_before, 1 / len(kinds_before))
    unigram = _discounted(kinds_before, discount, uniform)
    return torch.where(
        counts.sum(dim=1, keepdim=True) > 0, _discounted(counts, discount, unigram), unigram
    )


def _discounted(counts: Tensor, discount: float, lower: Tensor) -> Tensor:
    """``max(c - d, 0) / c(h) + d n(h) / c(h) * lower`` along the last axis."""
    total = counts.sum(dim=-1, keepdim=True).clamp(min=1)
    kinds = (counts > 0).double().sum(dim=-1, keepdim=True)
    return (counts - discount).clamp(min=0) / total + discount * kinds / total * lower


def _continuations(level: Counts) -> Counts:
    """For shorter histories: after how many different first tokens each token came.

    >>> dict(_continuations({(1,): Counter({5: 9}), (2,): Counter({5: 1, 6: 1})}))
    {(): Counter({5: 2, 6: 1})}
    """
    shorter: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for history, seen in level.items():
        shorter[history[1:]].update(seen.keys())
    return shorter
