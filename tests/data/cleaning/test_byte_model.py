"""The byte model: against a slow count, its probabilities add up, any text has a perplexity."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.byte_model import ByteModel
from llm_course.data.hashing import utf8

TEXTS = ["the cat sat", "the hat", "à côté"]
ORDER, STRENGTH = 3, 2.0
MODEL = ByteModel(TEXTS, order=ORDER, strength=STRENGTH)


def slow_probability(history, byte):
    """P(byte | history) by counting in the training texts, each padded with zeros in front."""
    padded = [bytes(ORDER) + utf8(text) for text in TEXTS]
    p = 1 / 256
    for n in range(1, ORDER + 1):
        context = (bytes(ORDER) + history)[len(history) + ORDER - n + 1 :]
        ends = [(data[i - n + 1 : i], data[i]) for data in padded for i in range(ORDER, len(data))]
        total = sum(before == context for before, _ in ends)
        count = sum(before == context and last == byte for before, last in ends)
        p = (count + STRENGTH * p) / (total + STRENGTH)
    return p


@given(st.text(st.characters() | st.sampled_from("the cat"), max_size=12))
def test_against_a_slow_count(text):
    data = utf8(text)
    expected = [math.log(slow_probability(data[:i], byte)) for i, byte in enumerate(data)]
    np.testing.assert_allclose(MODEL.log_probabilities(text), expected, rtol=1e-12)
    perplexity = math.exp(-np.mean(expected)) if data else math.inf
    assert MODEL.perplexity(text) == pytest.approx(perplexity)


@pytest.mark.parametrize("history", ["", "the ", "xyz"])
def test_probabilities_of_the_next_byte_add_up(history):
    ascii_part = sum(
        math.exp(MODEL.log_probabilities(history + chr(byte))[-1]) for byte in range(128)
    )
    rest = sum(slow_probability(history.encode(), byte) for byte in range(128, 256))
    assert ascii_part + rest == pytest.approx(1, abs=1e-12)


def test_text_that_was_learned_surprises_less():
    assert MODEL.perplexity("the cat sat") < MODEL.perplexity("sat cat the") < 256


@pytest.mark.parametrize("settings", [{"order": 0}, {"order": 8}, {"strength": 0.0}])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match="expected 1 ≤ order ≤ 7 and strength > 0"):
        ByteModel(TEXTS, **settings)


def test_there_has_to_be_text():
    with pytest.raises(ValueError, match="expected some text to learn from, got none"):
        ByteModel(["", ""])
