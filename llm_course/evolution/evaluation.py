"""What the probabilities of a text are worth: perplexity, and bits per byte."""

import math
from collections.abc import Sequence


def text_scores(log_probabilities: Sequence[float], n_bytes: int) -> tuple[float, float]:
    """Perplexity and bits per byte of a text, from the logarithm of each token's probability.

    ``exp(-mean(log p))`` and ``-sum(log p) / (ln 2 n_bytes)``. A perplexity belongs to its
    tokenizer; bits per byte may be compared between models that cut the text differently.

    Args:
        log_probabilities: natural logarithms, one for each token.
        n_bytes: of the text in UTF-8.

    Raises:
        ValueError: there is no token, no byte, or a logarithm above 0.

    Source:
        Jelinek et al. 1977 (perplexity); Gao et al. 2020, arXiv:2101.00027, section 3.1 (bits per
        byte).

    >>> text_scores([math.log(1 / 4)] * 3, n_bytes=6)  # two bits a token, three tokens, six bytes
    (4.0, 1.0)
    """
    if not log_probabilities:
        raise ValueError("log_probabilities: expected at least one, got none.")
    if n_bytes < 1:
        raise ValueError(f"n_bytes: expected 1 or more, got {n_bytes}.")
    if not max(log_probabilities) <= 0:
        raise ValueError(
            f"log_probabilities: expected 0 or less, got {max(log_probabilities)}. Fix: take the "
            "logarithm of probabilities."
        )
    total = -math.fsum(log_probabilities)
    return math.exp(total / len(log_probabilities)), total / math.log(2) / n_bytes
