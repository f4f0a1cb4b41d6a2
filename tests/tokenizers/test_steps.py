"""Each step against the slowest thing that is obviously right."""

import math
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llm_course.tokenizers import steps

WORDS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=7), min_size=1, max_size=5)


def replaced(word, pair, token):
    """Left to right, by recursion."""
    if len(word) < 2:
        return list(word)
    if (word[0], word[1]) == pair:
        return [token, *replaced(word[2:], pair, token)]
    return [word[0], *replaced(word[1:], pair, token)]


def cuts(text, pieces):
    """All segmentations, the one with the longest last piece first."""
    if not text:
        return [[]]
    found = []
    for start in range(len(text)):
        if text[start:] in pieces:
            found += [[*before, text[start:]] for before in cuts(text[:start], pieces)]
    return found


@given(WORDS, st.data())
def test_a_merge_takes_the_commonest_pair(words, data):
    counts = data.draw(st.lists(st.integers(1, 4), min_size=len(words), max_size=len(words)))
    given_words = [list(word) for word in words]
    pair, merged = steps.bpe_merge_step(words, counts)
    seen = Counter()
    for word, count in zip(words, counts, strict=True):
        for i in range(len(word) - 1):
            seen[word[i], word[i + 1]] += count
    if not seen:
        assert pair is None and merged == words
        return
    assert pair == sorted(p for p in seen if seen[p] == max(seen.values()))[0]
    assert merged == [replaced(word, pair, "".join(pair)) for word in words]
    assert words == given_words


def test_counts_must_be_as_many_as_words():
    with pytest.raises(ValueError, match="zip"):
        steps.bpe_merge_step([["a"]], [1, 2])
    with pytest.raises(ValueError, match="zip"):
        steps.wordpiece_score([["a"]], [1, 2], ("a", "b"))


@given(st.text("ab", max_size=12), st.integers(0, 6), st.randoms(use_true_random=False))
def test_encoding_applies_one_merge_after_the_other(text, n_merges, random):
    merges = []
    for k in range(n_merges):
        merges.append((random.choice([97, 98, *range(256, 256 + k)]), random.choice([97, 98])))
    assume(len(set(merges)) == len(merges))
    ids = list(text.encode())
    for k, pair in enumerate(merges):
        ids = replaced(ids, pair, 256 + k)
    assert steps.bpe_encode(text, merges) == ids


def test_encoding_begins_with_bytes():
    assert steps.bpe_encode("é", []) == [0xC3, 0xA9]
    assert steps.bpe_encode("", [(97, 98)]) == []


def log_likelihood(words, counts):
    n = Counter()
    for word, count in zip(words, counts, strict=True):
        for token in word:
            n[token] += count
    total = sum(n.values())
    return sum(k * math.log(k / total) for k in n.values()), n


@pytest.mark.parametrize("pair", [("a", "##b"), ("##b", "##b"), ("##a", "##b"), ("##b", "##a")])
def test_the_gain_is_the_likelihood_after_less_that_before(pair):
    words = [["a", "##b", "##b", "##b"], ["a", "##b", "##a", "##b"], ["ab"], ["##bb", "a"]]
    counts = [3, 2, 5, 1]
    token = pair[0] + pair[1].removeprefix("##")
    merged = [replaced(word, pair, token) for word in words]
    before, n = log_likelihood(words, counts)
    after, _ = log_likelihood(merged, counts)
    met = sum(c * (len(w) - len(m)) for w, m, c in zip(words, merged, counts, strict=True))
    score, gain = steps.wordpiece_score(words, counts, pair)
    assert gain == pytest.approx(after - before, abs=1e-10)
    assert score == pytest.approx(met / (n[pair[0]] * n[pair[1]]))


def test_a_pair_that_never_meets_has_no_score():
    assert steps.wordpiece_score([["a", "##b"]], [1], ("##b", "a")) == (0.0, 0.0)


PIECES = st.dictionaries(
    st.text("ab", min_size=1, max_size=3), st.sampled_from([-0.5, -1.0, -1.5, -3.0]), max_size=9
)


@given(st.text("ab", max_size=7), PIECES)
def test_viterbi_is_the_best_of_all(text, scores):
    found = cuts(text, scores)
    pieces, log_probability = steps.unigram_viterbi(text, scores)
    if not found:
        assert (pieces, log_probability) == (None, -math.inf)
        return
    best = max(found, key=lambda path: sum(scores[p] for p in path))
    assert log_probability == pytest.approx(sum(scores[p] for p in best))
    assert sum(scores[p] for p in pieces) == pytest.approx(log_probability)
    assert "".join(pieces) == text


def test_of_equal_segmentations_the_last_piece_is_the_longer():
    scores = {"a": -1.0, "b": -1.0, "aa": -1.0, "ab": -1.0}
    assert steps.unigram_viterbi("aab", scores)[0] == ["a", "ab"]


@given(st.dictionaries(st.text("ab", min_size=1, max_size=6), st.integers(1, 5), min_size=1))
def test_em_is_the_sum_over_all_segmentations(counts):
    probabilities = {"a": 0.3, "b": 0.2, "ab": 0.2, "ba": 0.1, "aba": 0.2, "bbb": 0.0, "zz": 0.1}
    expected, total_log = dict.fromkeys(probabilities, 0.0), 0.0
    for word, count in counts.items():
        ways = [(p, math.prod(probabilities[x] for x in p)) for p in cuts(word, probabilities)]
        marginal = sum(weight for _, weight in ways)
        total_log += count * math.log(marginal)
        for path, weight in ways:
            for piece in path:
                expected[piece] += count * weight / marginal
    uses = sum(expected.values())
    new, before = steps.unigram_em_step(counts, probabilities)
    assert before == pytest.approx(total_log, abs=1e-9)
    assert new == pytest.approx({x: e / uses for x, e in expected.items()}, abs=1e-12)
