"""Kneser-Ney against its definition, computed by looking at every n-gram of the vocabulary."""

import math
from collections import Counter
from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.evolution.kneser_ney import KneserNey, kneser_ney_bigram
from llm_course.evolution.ngrams import START

VOCAB = 4  # 0 ends a text
TEXTS = st.lists(st.lists(st.integers(1, 3), max_size=7), min_size=1, max_size=6)


def brute_force(texts, order, discount, history, token):
    """The formulas of Chen and Goodman, read off lists of n-grams; slow, and nothing is shared."""
    padded = [[START] * (order - 1) + text + [0] for text in texts]
    ngrams = Counter(tuple(p[i : i + order]) for p in padded for i in range(len(p) - order + 1))

    def count(ngram):
        """Of a full n-gram how often it came; of a shorter one how many kinds are before it."""
        if len(ngram) == order:
            return ngrams[ngram]
        return sum(count((v, *ngram)) > 0 for v in (START, *range(VOCAB)))

    def probability(known, w):
        lower = 1 / VOCAB if not known else probability(known[1:], w)
        counts = [count((*known, v)) for v in range(VOCAB)]
        if sum(counts) == 0:
            return lower
        kinds = sum(n > 0 for n in counts)
        kept = max(count((*known, w)) - discount, 0)
        return kept / sum(counts) + discount * kinds / sum(counts) * lower

    longest = ((START,) * (order - 1) + tuple(history))[-(order - 1) :] if order > 1 else ()
    return probability(longest, token)


@given(texts=TEXTS, order=st.integers(1, 3), discount=st.sampled_from([0.1, 0.5, 0.75]))
@settings(deadline=None, max_examples=40)
def test_against_the_definition(texts, order, discount):
    model = KneserNey(texts, order, VOCAB, end_id=0, discount=discount)
    for history in product((1, 2, 3), repeat=order - 1):
        for token in range(VOCAB):
            expected = brute_force(texts, order, discount, history, token)
            assert model.probability(history, token) == pytest.approx(expected, abs=1e-12)
    assert model.probability((), 1) == pytest.approx(
        brute_force(texts, order, discount, (), 1), abs=1e-12
    )


@given(texts=TEXTS, order=st.integers(1, 4), history=st.lists(st.integers(0, 3), max_size=4))
def test_every_distribution_sums_to_one_seen_or_not(texts, order, history):
    """After the beginning of a text too, where libraries that count start symbols are above one."""
    model = KneserNey(texts, order, VOCAB, end_id=0)
    for known in ((), history):
        shares = [model.probability(known, token) for token in range(VOCAB)]
        assert sum(shares) == pytest.approx(1, abs=1e-12)
        assert min(shares) > 0


@given(texts=TEXTS, discount=st.sampled_from([0.1, 0.75]))
@settings(deadline=None, max_examples=30)
def test_the_table_of_bigrams_is_the_model_of_order_two(texts, discount):
    counts = torch.zeros(VOCAB + 1, VOCAB)  # the last row is the start
    for text in texts:
        for before, after in pairwise([VOCAB, *text, 0]):
            counts[before, after] += 1
    table = kneser_ney_bigram(counts, discount)
    model = KneserNey(texts, 2, VOCAB, end_id=0, discount=discount)
    for token in range(VOCAB):
        assert table[VOCAB, token].item() == pytest.approx(model.probability((), token), abs=1e-12)
        for history in (1, 2, 3):
            expected = model.probability((history,), token)
            assert table[history, token].item() == pytest.approx(expected, abs=1e-12)
    torch.testing.assert_close(table.sum(dim=1), torch.ones(VOCAB + 1, dtype=torch.float64))


def test_a_frequent_token_with_one_neighbour_is_unlikely_elsewhere():
    """San Francisco: 2 comes twenty times, always after 1; 3 comes five times, after many."""
    texts = [[1, 2]] * 20 + [[4, 3], [5, 3], [6, 3], [7, 3], [8, 3]]
    model = KneserNey(texts, order=2, vocab_size=9, end_id=0)
    unseen = 3, 2  # after 3 neither was ever seen
    assert model.probability((unseen[0],), 3) > 3 * model.probability((unseen[0],), 2)


def test_a_longer_order_fits_its_text_better():
    texts = [[1, 2, 3, 1, 2, 3, 1, 2, 3]] * 3
    losses = []
    for order in (1, 2, 3):
        model = KneserNey(texts, order, VOCAB, end_id=0)
        tokens = [*texts[0], 0]
        losses.append(
            -sum(math.log(model.probability(tokens[:i], w)) for i, w in enumerate(tokens))
        )
    assert losses[0] > losses[1] > losses[2]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="discount: expected between 0 and 1, got 1"):
        KneserNey([[1]], 2, VOCAB, 0, discount=1)
    with pytest.raises(ValueError, match="counts: expected at least one above 0"):
        kneser_ney_bigram(torch.zeros(2, 2))
    with pytest.raises(ValueError, match="discount: expected between 0 and 1, got 0"):
        kneser_ney_bigram(torch.ones(2, 2), discount=0)
    with pytest.raises(ValueError, match="texts: expected at least one"):
        KneserNey([], 2, VOCAB, 0)
    with pytest.raises(ValueError, match="end_id: expected 0 to 3, got 4"):
        KneserNey([[1]], 2, VOCAB, 4)
    with pytest.raises(ValueError, match="token: expected 0 to 3, got -1"):
        KneserNey([[1]], 2, VOCAB, 0).probability((1,), -1)
