"""Plausible wrong answers to ex-04-12, the best segmentation."""

import math


def _solve(text, scores, better=lambda new, old: new > old, starts=range):
    best, begins = [0.0], [0]
    for end in range(1, len(text) + 1):
        top, begin = -math.inf, None
        for start in starts(end):
            reached = best[start] + scores.get(text[start:end], -math.inf)
            if better(reached, top):
                top, begin = reached, start
        best.append(top)
        begins.append(begin)
    if best[-1] == -math.inf:
        return None, -math.inf
    pieces, end = [], len(text)
    while end > 0:
        pieces.insert(0, text[begins[end] : end])
        end = begins[end]
    return pieces, best[-1]


def longest_first(text, scores):
    """The longest piece that fits is taken from the left, as WordPiece does."""
    pieces, at = [], 0
    while at < len(text):
        fits = [end for end in range(at + 1, len(text) + 1) if text[at:end] in scores]
        if not fits:
            return None, -math.inf
        pieces.append(text[at : fits[-1]])
        at = fits[-1]
    return pieces, float(sum(scores[piece] for piece in pieces))


def best_piece_first(text, scores):
    """The most probable piece that fits is taken from the left, with no look at what follows."""
    pieces, at = [], 0
    while at < len(text):
        fits = [end for end in range(at + 1, len(text) + 1) if text[at:end] in scores]
        if not fits:
            return None, -math.inf
        end = max(fits, key=lambda end: scores[text[at:end]])
        pieces.append(text[at:end])
        at = end
    return pieces, float(sum(scores[piece] for piece in pieces))


def fewest_pieces(text, scores):
    """The segmentation of the fewest pieces, whatever their probabilities."""
    pieces, _ = _solve(text, dict.fromkeys(scores, -1.0))
    if pieces is None:
        return None, -math.inf
    return pieces, float(sum(scores[piece] for piece in pieces))


def summed_not_best(text, scores):
    """The score is the sum over all segmentations: forward instead of Viterbi."""
    pieces, score = _solve(text, scores)
    alpha = [1.0, *[0.0] * len(text)]
    for end in range(1, len(text) + 1):
        for start in range(end):
            alpha[end] += alpha[start] * math.exp(scores.get(text[start:end], -math.inf))
    return pieces, math.log(alpha[-1]) if pieces is not None else score


def least_probable(text, scores):
    """Log-probabilities are taken for costs, and the worst way is found."""
    negative = {piece: -score for piece, score in scores.items()}
    pieces, _ = _solve(text, negative)
    if pieces is None:
        return None, -math.inf
    return pieces, float(sum(scores[piece] for piece in pieces))


def shorter_last_piece(text, scores):
    """Right but for ties: of equals it takes the one whose last piece is shorter."""
    return _solve(text, scores, better=lambda new, old: new >= old and new > -math.inf)


def unknown_letters_skipped(text, scores):
    """What no piece spells is a piece of its own at no cost, and the text always has a way."""
    known = {letter: 0.0 for letter in text if letter not in "".join(scores)} | scores
    return _solve(text, known)


def pieces_from_the_end(text, scores):
    """The pieces are read back from the end and never turned round."""
    pieces, score = _solve(text, scores)
    return pieces and pieces[::-1], score
