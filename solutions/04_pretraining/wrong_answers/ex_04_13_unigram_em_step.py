"""Plausible wrong answers to ex-04-13, one step of EM."""

import math


def _step(counts, probabilities, use):
    """Expected counts by ``use(alpha[s], p, beta[e], alpha[n])``, and the log-likelihood."""
    expected, log_likelihood = dict.fromkeys(probabilities, 0.0), 0.0
    for word, count in counts.items():
        n = len(word)
        edges = [
            (s, e, probabilities[word[s:e]])
            for s in range(n)
            for e in range(s + 1, n + 1)
            if word[s:e] in probabilities
        ]
        alpha, beta = [1.0, *[0.0] * n], [*[0.0] * n, 1.0]
        for s, e, p in edges:
            alpha[e] += alpha[s] * p
        for s, e, p in reversed(edges):
            beta[s] += p * beta[e]
        for s, e, p in edges:
            expected[word[s:e]] += count * use(alpha[s], p, beta[e], alpha[n])
        log_likelihood += count * math.log(alpha[n])
    return expected, log_likelihood


def _shares(expected):
    total = sum(expected.values())
    return {piece: uses / total for piece, uses in expected.items()}


def _posterior(before, p, after, whole):
    return before * p * after / whole


def not_normalised_by_the_word(counts, probabilities):
    """The word's own probability is not divided by, so rare words count for little."""
    expected, value = _step(counts, probabilities, lambda a, p, b, whole: a * p * b)
    return _shares(expected), value


def what_follows_forgotten(counts, probabilities):
    """Only the ways from the start are looked at, and not how the word goes on."""
    expected, value = _step(counts, probabilities, lambda a, p, b, whole: a * p / whole)
    return _shares(expected), value


def best_way_only(counts, probabilities):
    """Hard EM: only the most probable segmentation of each word is counted."""
    _, value = _step(counts, probabilities, _posterior)
    expected = dict.fromkeys(probabilities, 0.0)
    for word, count in counts.items():
        best = [(1.0, [])]
        for end in range(1, len(word) + 1):
            ways = [
                (q * probabilities.get(word[start:end], 0.0), [*way, word[start:end]])
                for start, (q, way) in enumerate(best)
            ]
            best.append(max(ways))
        for piece in best[-1][1]:
            expected[piece] += count
    return _shares(expected), value


def every_place_counts(counts, probabilities):
    """Every occurrence of a piece counts, whether a segmentation uses it or not."""
    _, value = _step(counts, probabilities, _posterior)
    expected = dict.fromkeys(probabilities, 0.0)
    for word, count in counts.items():
        for start in range(len(word)):
            for end in range(start + 1, len(word) + 1):
                if word[start:end] in expected:
                    expected[word[start:end]] += count
    return _shares(expected), value


def counts_forgotten(counts, probabilities):
    """Each word counts once, however often it occurs."""
    expected, value = _step(dict.fromkeys(counts, 1), probabilities, _posterior)
    return _shares(expected), value


def divided_by_the_words(counts, probabilities):
    """Divided by the number of words instead of pieces, so the probabilities exceed 1 in all."""
    expected, value = _step(counts, probabilities, _posterior)
    total = sum(counts.values())
    return {piece: uses / total for piece, uses in expected.items()}, value


def unused_left_out(counts, probabilities):
    """Pieces that no segmentation uses are missing from the result."""
    expected, value = _step(counts, probabilities, _posterior)
    return {piece: q for piece, q in _shares(expected).items() if q > 0}, value


def likelihood_per_word(counts, probabilities):
    """The log-likelihood forgets how often each word occurs."""
    expected, _ = _step(counts, probabilities, _posterior)
    _, value = _step(dict.fromkeys(counts, 1), probabilities, _posterior)
    return _shares(expected), value
