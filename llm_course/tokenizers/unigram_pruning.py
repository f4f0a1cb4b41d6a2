"""Which pieces the Unigram trainer gives up: those whose loss costs the likelihood least."""

import numpy as np

from llm_course.tokenizers.word_lattices import WordLattices, best_paths


def path_counts(
    lattices: WordLattices, back: np.ndarray, counts: np.ndarray, n_pieces: int
) -> np.ndarray:
    """How often each piece is used when every word takes its best path.

    Args:
        lattices: the words.
        back: the edge that reached each node, from ``best_paths``.
        counts: of each word, in the order of ``lattices``.
        n_pieces: size of the vocabulary.

    Shapes: ``(n_pieces,)``.
    """
    total = np.zeros(n_pieces)
    node, counts = lattices.last, counts.astype(np.float64)
    while len(node):
        edge = back[node]
        total += np.bincount(lattices.piece[edge], counts, minlength=n_pieces)
        node = lattices.start[edge]
        going = node >= lattices.alive[0]
        node, counts = node[going], counts[going]
    return total


def pruning_losses(used: np.ndarray, score: np.ndarray, spelled: WordLattices) -> np.ndarray:
    """How much the log-likelihood of the best paths falls when a piece is taken away.

    Its ``f`` uses are then spelled by the best path of other pieces, whose counts grow by ``f``:
    ``loss = f · (log f/N - Σ_a log (f_a + f)/(N + f (n - 1)))`` over the ``n`` pieces ``a`` of
    that path. A piece that is not on the best path of its own spelling costs nothing.

    Args:
        used: how often each piece is used, ``(pieces,)``.
        score: log-probability of each piece, ``(pieces,)``.
        spelled: the lattices of the last ``(words,)`` pieces' spellings without the piece itself.

    Shapes: ``(pieces,)``; infinite for the pieces in front, which have no lattice and must stay.

    Source:
        Kudo 2018, arXiv:1804.10959, section 3.2; the approximation is SentencePiece's.
    """
    loss = np.full(len(used), np.inf)
    of_word = len(used) - len(spelled.order) + spelled.order
    own = used[of_word]
    best, back = best_paths(spelled, score)
    length, logs = np.zeros(len(own)), np.zeros(len(own))
    words, node = np.arange(len(own)), spelled.last
    while len(node):
        edge = back[node]
        with np.errstate(divide="ignore"):
            logs[words] += np.log(used[spelled.piece[edge]] + own[words])
        length[words] += 1
        node = spelled.start[edge]
        going = node >= spelled.alive[0]
        node, words = node[going], words[going]
    total = used.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        now = np.log(own) - np.log(total)
        then = logs - length * np.log(total + own * (length - 1))
        costs = own * (now - then)
    loss[of_word] = np.where((own > 0) & (best[spelled.last] <= score[of_word]), costs, -np.inf)
    return loss


def choose_pieces(loss: np.ndarray, size: int) -> np.ndarray:
    """The indices of the ``size`` pieces with the largest loss; those that cost nothing go anyway.

    >>> choose_pieces(np.array([np.inf, 3.0, -np.inf, 5.0]), 2).tolist()
    [0, 3]
    """
    order = np.argsort(-loss, kind="stable")[:size]
    return np.sort(order[loss[order] > -np.inf])
