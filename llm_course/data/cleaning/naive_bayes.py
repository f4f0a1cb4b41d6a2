"""Naive Bayes over words: a classifier of good and bad text with no training but counting.

The score of a text is the difference of its log-likelihoods under two models of single words,
hence of its log-perplexities times its length: where the perplexity filter and the classifier
filter meet.

Source:
    McCallum and Nigam 1998, *A Comparison of Event Models for Naive Bayes Text Classification*,
    equation 6, with α in place of 1.
"""

import math
from collections import Counter
from collections.abc import Sequence


def naive_bayes_log_odds(
    text: str, good: Sequence[str], bad: Sequence[str], alpha: float = 1.0
) -> float:
    """``Σ_w ln P(w | good) / P(w | bad)``, ``P(w | c) = (count_c(w) + α) / (count_c + α |V|)``.

    Words are lower-case and separated by white space; those that neither class has are skipped.

    Raises:
        ValueError: α is not above 0.

    >>> round(naive_bayes_log_odds("buy", good=["a city"], bad=["buy now"]), 3)  # ln 1/2
    -0.693
    """
    if not alpha > 0:
        raise ValueError(f"alpha: expected a number above 0, got {alpha}.")
    of_good, of_bad = (
        Counter(w for t in texts for w in t.lower().split()) for texts in (good, bad)
    )
    size = len(of_good | of_bad)
    n_good, n_bad = of_good.total() + alpha * size, of_bad.total() + alpha * size
    score = 0.0
    for word in text.lower().split():
        if of_good[word] or of_bad[word]:
            score += math.log((of_good[word] + alpha) / n_good)
            score -= math.log((of_bad[word] + alpha) / n_bad)
    return score
