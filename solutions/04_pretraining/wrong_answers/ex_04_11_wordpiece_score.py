"""Plausible wrong answers to ex-04-11, WordPiece's two scores."""

import math
from collections import Counter


def _tally(words, counts, pair=None, joined=None):
    """Counts of the tokens, merged if a pair is given, and the number of merges."""
    n, merges = Counter(), 0
    for word, count in zip(words, counts, strict=True):
        at = 0
        while at < len(word):
            found = pair is not None and tuple(word[at : at + 2]) == tuple(pair)
            n[joined if found else word[at]] += count
            merges += count if found else 0
            at += 2 if found else 1
    return n, merges


def _log_likelihood(n, total=None, log=math.log):
    total = total or sum(n.values())
    return sum(k * log(k / total) for k in n.values())


def _joined(pair):
    return pair[0] + pair[1].removeprefix("##")


def probability_ratio(words, counts, pair):
    """The score is taken of shares instead of counts: c N / (n_a n_b)."""
    before, _ = _tally(words, counts)
    after, c = _tally(words, counts, pair, _joined(pair))
    if not c:
        return 0.0, 0.0
    score = c * sum(before.values()) / (before[pair[0]] * before[pair[1]])
    return score, _log_likelihood(after) - _log_likelihood(before)


def rule_of_thumb(words, counts, pair):
    """The gain is c times PMI, which is near the exact one and not equal."""
    before, _ = _tally(words, counts)
    _, c = _tally(words, counts, pair, _joined(pair))
    if not c:
        return 0.0, 0.0
    score = c / (before[pair[0]] * before[pair[1]])
    return score, c * math.log(score * sum(before.values()))


def same_total(words, counts, pair):
    """The number of tokens before the merge divides both: a merge makes the corpus shorter."""
    before, _ = _tally(words, counts)
    after, c = _tally(words, counts, pair, _joined(pair))
    if not c:
        return 0.0, 0.0
    total = sum(before.values())
    score = c / (before[pair[0]] * before[pair[1]])
    return score, _log_likelihood(after, total) - _log_likelihood(before, total)


def marks_kept(words, counts, pair):
    """The new token keeps the ## of its right half, so it is never one that exists."""
    before, _ = _tally(words, counts)
    after, c = _tally(words, counts, pair, pair[0] + pair[1])
    if not c:
        return 0.0, 0.0
    score = c / (before[pair[0]] * before[pair[1]])
    return score, _log_likelihood(after) - _log_likelihood(before)


def counts_forgotten(words, counts, pair):
    """Each word counts once, however often it occurs."""
    before, _ = _tally(words, [1] * len(words))
    after, c = _tally(words, [1] * len(words), pair, _joined(pair))
    if not c:
        return 0.0, 0.0
    score = c / (before[pair[0]] * before[pair[1]])
    return score, _log_likelihood(after) - _log_likelihood(before)


def in_bits(words, counts, pair):
    """The logarithm to the base of 2, where nats were asked for."""
    before, _ = _tally(words, counts)
    after, c = _tally(words, counts, pair, _joined(pair))
    if not c:
        return 0.0, 0.0
    score = c / (before[pair[0]] * before[pair[1]])
    gain = _log_likelihood(after, log=math.log2) - _log_likelihood(before, log=math.log2)
    return score, gain


def overlapping_places(words, counts, pair):
    """Places are counted that a merge from the left does not reach: a a a has one, not two."""
    before, _ = _tally(words, counts)
    after, merges = _tally(words, counts, pair, _joined(pair))
    if not merges:
        return 0.0, 0.0
    c = sum(
        count * sum(tuple(word[i : i + 2]) == tuple(pair) for i in range(len(word)))
        for word, count in zip(words, counts, strict=True)
    )
    score = c / (before[pair[0]] * before[pair[1]])
    return score, _log_likelihood(after) - _log_likelihood(before)
