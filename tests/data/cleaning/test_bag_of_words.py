"""Bags of words against a dictionary of counts."""

import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.bag_of_words import bags_of_words
from llm_course.data.hashing import run_hashes, word_hashes

N_BUCKETS = 50  # so few that words collide, as they may


def slow_bag(text, pairs):
    words = re.findall(r"\w+|[^\w\s]", text.casefold())
    counts = Counter(int(word_hashes([word])[0]) % N_BUCKETS for word in words)
    if pairs:
        for two in pairwise(words):
            counts[int(run_hashes(word_hashes(two), 2)[0]) % N_BUCKETS] += 1
    length = math.sqrt(sum(count**2 for count in counts.values()))
    return {bucket: count / length for bucket, count in counts.items()}


@given(st.lists(st.text(st.characters() | st.sampled_from("ab, ")), max_size=4), st.booleans())
def test_against_a_dictionary(texts, pairs):
    bags = bags_of_words(texts, N_BUCKETS, pairs=pairs)
    assert len(bags) == len(texts)
    for i, text in enumerate(texts):
        row = bags.rows([i])
        found = dict(zip(row.buckets.tolist(), row.weights.tolist(), strict=True))
        assert found == pytest.approx(slow_bag(text, pairs))


def test_rows_in_another_order():
    bags = bags_of_words(["a", "b c", "", "d"], 1 << 20)
    turned = bags.rows([3, 2, 1, 0])
    assert np.diff(turned.starts).tolist() == [1, 0, 3, 1]
    assert turned.rows([3]).buckets.tolist() == bags.rows([0]).buckets.tolist()
    assert len(bags.rows([])) == 0


def test_there_has_to_be_a_bucket():
    with pytest.raises(ValueError, match="n_buckets: expected at least 1, got 0"):
        bags_of_words(["a"], 0)
