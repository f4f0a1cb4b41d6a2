"""The perplexity filter: text that a language model finds too surprising, or not surprising at all.

The model is passed in, as a function from a text to its perplexity: ``ByteModel(...).perplexity``
is one that is trained in seconds; a Transformer's works as well. High perplexity is noise, lists,
another language; very low perplexity is boilerplate that the model knows by heart.

Source:
    Wenzek et al. 2020, *CCNet* (arXiv:1911.00359), section 3.3, which scores pages with a model of
    Wikipedia and cuts at quantiles.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np

from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Outcome, Removed, Stage, each

Scorer = Callable[[str], float]


def quantile_bounds(
    score: Scorer, texts: Iterable[str], low: float = 0.0, high: float = 0.95
) -> tuple[float, float]:
    """The perplexities between which these shares of reference texts lie, for the filter.

    Raises:
        ValueError: there are no texts, or the shares are none.

    >>> quantile_bounds(len, ["a", "bb", "ccc", "dddd", "eeeee"], low=0.25, high=0.75)
    (2.0, 4.0)
    """
    if not 0 <= low < high <= 1:
        raise ValueError(f"low, high: expected 0 ≤ low < high ≤ 1, got {low} and {high}.")
    scores = [score(text) for text in texts]
    if not scores:
        raise ValueError("texts: expected some texts as a reference, got none.")
    lower, upper = np.quantile(scores, [low, high])
    return float(lower), float(upper)


def perplexity_filter(score: Scorer, low: float = 0.0, high: float = math.inf) -> Stage:
    """The stage that removes a document whose perplexity is below ``low`` or above ``high``.

    A perplexity that is no number, or infinite, counts as too high.

    Raises:
        ValueError: ``low`` is above ``high``.
    """
    if not low <= high:
        raise ValueError(f"low, high: expected low ≤ high, got {low} and {high}.")

    def judge(document: Document) -> Outcome:
        perplexity = score(document.text)
        if perplexity < low:
            return Removed(document, "perplexity too low", f"{perplexity:.1f} < {low:.1f}")
        if not perplexity <= high or math.isinf(perplexity):
            return Removed(document, "perplexity too high", f"{perplexity:.1f} > {high:.1f}")
        return Kept(document)

    return each(judge)
