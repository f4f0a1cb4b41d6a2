"""MinHash modulo a prime: against a permutation written out, and its estimate of Jaccard's J."""

import random

import pytest

from llm_course.data.deduplication.plain_minhash import PRIME, minhash_signature


def test_the_first_item_in_each_written_out_order():
    p = 11
    items = {0, 3, 7, 10}
    for a in range(1, p):
        for b in range(p):
            order = sorted(range(p), key=lambda x, a=a, b=b: (a * x + b) % p)  # a permutation
            first = next(x for x in order if x in items)
            assert minhash_signature(items, [a], [b], p) == [order.index(first)]


def test_agreement_estimates_the_similarity():
    draw = random.Random(0)
    k = 4_000
    a = [draw.randrange(1, PRIME) for _ in range(k)]
    b = [draw.randrange(PRIME) for _ in range(k)]
    items = draw.sample(range(PRIME), 80)
    one, two = set(items[:60]), set(items[20:])  # J = 40 / 80
    pairs = zip(minhash_signature(one, a, b), minhash_signature(two, a, b), strict=True)
    # Hoeffding: off by 0.05 with probability below 2·exp(−2·4000·0.05²) = 4e-9.
    assert sum(x == y for x, y in pairs) / k == pytest.approx(0.5, abs=0.05)


def test_nothing_and_wrong_input():
    assert minhash_signature(set(), [1, 2], [0, 0]) == [PRIME, PRIME]
    with pytest.raises(ValueError, match="expected as many of each, got 1 and 2"):
        minhash_signature({1}, [1], [0, 0])
