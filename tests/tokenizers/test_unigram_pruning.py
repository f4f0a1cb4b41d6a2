"""Losses against the rule carried out one piece at a time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.tokenizers.lattice import build_lattice, prefix_table, viterbi
from llm_course.tokenizers.unigram_pruning import choose_pieces, pruning_losses
from llm_course.tokenizers.word_lattices import build_lattices

LONGER = st.lists(st.text("abc", min_size=2, max_size=6), min_size=1, max_size=9, unique=True)


def slow_loss(piece: str, scores: dict[str, float], used: dict[str, float]) -> float:
    others = {other: score for other, score in scores.items() if other != piece}
    spelling = viterbi(build_lattice(piece, prefix_table(others), -99.0))
    if used[piece] == 0 or sum(others[part] for part in spelling) > scores[piece]:
        return -math.inf
    total, own = sum(used.values()), used[piece]
    grown = total + own * (len(spelling) - 1)
    instead = sum(math.log((used[part] + own) / grown) for part in spelling)
    return own * (math.log(own / total) - instead)


@settings(deadline=None)
@given(LONGER, st.integers(0, 999))
def test_losses_equal_the_rule_piece_by_piece(longer, seed):
    rng = np.random.default_rng(seed)
    pieces = ["a", "b", "c", *longer]
    scores = np.log(rng.dirichlet(np.ones(len(pieces))))
    used = rng.integers(0, 20, len(pieces)).astype(float)
    used[:3] += 1
    text, number = "".join(longer), {piece: i for i, piece in enumerate(pieces)}
    table = np.array(
        [[number.get(text[i : i + w], -1) for w in range(1, 7)] for i in range(len(text))]
    )
    lengths = np.array([len(piece) for piece in longer])
    spelled = build_lattices(np.cumsum(lengths) - lengths, lengths, table)
    whole = (spelled.start < len(longer)) & np.isin(spelled.end, spelled.last)
    spelled = spelled.keep(np.flatnonzero(~whole), np.arange(len(pieces)))
    found = pruning_losses(used, scores, spelled)
    assert np.isposinf(found[:3]).all()
    score_of, used_of = (dict(zip(pieces, x.tolist(), strict=True)) for x in (scores, used))
    expected = [slow_loss(piece, score_of, used_of) for piece in longer]
    assert found[3:].tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_characters_stay_and_the_cheapest_go():
    loss = np.array([np.inf, np.inf, 5.0, -1.0, 7.0, -np.inf])
    assert choose_pieces(loss, 4).tolist() == [0, 1, 2, 4]
    assert choose_pieces(loss, 6).tolist() == [0, 1, 2, 3, 4]
