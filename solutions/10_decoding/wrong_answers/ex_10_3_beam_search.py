"""Plausible wrong answers to ex-10-3, beam search."""

import math


def _candidates(log_p, beams):
    found = [
        ([*tokens, token], total + step)
        for tokens, total in beams
        for token, step in enumerate(log_p[tokens[-1]].tolist())
    ]
    return sorted(found, key=lambda candidate: -candidate[1])


def _search(log_p, start, end, width, max_length, score):
    beams, done = [([start], 0.0)], []
    for n in range(1, max_length + 1):
        candidates = _candidates(log_p, beams)
        for tokens, total in candidates[:width]:
            if tokens[-1] == end or n == max_length:
                done.append((tokens[1:], score(total, n)))
        if width == 1 and done:
            break
        beams = [c for c in candidates if c[0][-1] != end][:width]
    return max(done, key=lambda text: text[1])


def no_length_penalty(log_p, start, end, width, alpha, max_length):
    """The sums are compared as they are."""
    return _search(log_p, start, end, width, max_length, lambda total, n: total)


def probability_is_divided(log_p, start, end, width, alpha, max_length):
    """The probability is divided by the length, as the deck's sentence says."""
    return _search(
        log_p, start, end, width, max_length, lambda total, n: math.exp(total) / n**alpha
    )


def length_counts_the_start(log_p, start, end, width, alpha, max_length):
    """The length includes the start token."""
    return _search(log_p, start, end, width, max_length, lambda total, n: total / (n + 1) ** alpha)


def multiplied(log_p, start, end, width, alpha, max_length):
    """The sum is multiplied by the power of the length."""
    return _search(log_p, start, end, width, max_length, lambda total, n: total * n**alpha)


def ended_beams_are_not_replaced(log_p, start, end, width, alpha, max_length):
    """The new beginnings come from the first width candidates only: the beam shrinks."""
    beams, done = [([start], 0.0)], []
    for n in range(1, max_length + 1):
        candidates = _candidates(log_p, beams)[:width]
        done += [(t[1:], s / n**alpha) for t, s in candidates if t[-1] == end or n == max_length]
        beams = [c for c in candidates if c[0][-1] != end]
    return max(done, key=lambda text: text[1])


def every_end_counts(log_p, start, end, width, alpha, max_length):
    """Texts that end count as finished even when they are not among the first width."""
    beams, done = [([start], 0.0)], []
    for n in range(1, max_length + 1):
        candidates = _candidates(log_p, beams)
        done += [(t[1:], s / n**alpha) for t, s in candidates if t[-1] == end]
        beams = [c for c in candidates if c[0][-1] != end][:width]
    done += [(t[1:], s / n**alpha) for t, s in beams]
    return max(done, key=lambda text: text[1])


def stops_at_the_first_end(log_p, start, end, width, alpha, max_length):
    """The first finished text is returned."""
    beams = [([start], 0.0)]
    for n in range(1, max_length + 1):
        candidates = _candidates(log_p, beams)
        for tokens, total in candidates[:width]:
            if tokens[-1] == end or n == max_length:
                return tokens[1:], total / n**alpha
        beams = [c for c in candidates if c[0][-1] != end][:width]
    return [], 0.0


def the_start_is_returned(log_p, start, end, width, alpha, max_length):
    """The start token is left in the text."""
    tokens, score = _search(log_p, start, end, width, max_length, lambda total, n: total / n**alpha)
    return [start, *tokens], score
