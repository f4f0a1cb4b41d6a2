"""The Λ against a loop over pairs with complex numbers, and against models without it."""

import cmath
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.long_context.lambda_attention import (
    check_lambda,
    lambda_attention,
    lambda_mask,
    lambda_model,
)
from llm_course.long_context.rope_scaling import RopeScaling, stretched
from llm_course.model.attention import scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import PositionOptions, Wiring
from llm_course.model.masks import sliding_window_mask
from llm_course.model.positions import rope_frequencies

CONFIG = DecoderConfig(
    vocab_size=30, context_length=16, d_model=32, n_layers=3, n_heads=4, n_kv_heads=2, d_ff=24
)
TOKENS = torch.randint(30, (2, 40), generator=torch.Generator().manual_seed(0))
PAIRINGS = pytest.mark.parametrize("pairing", ["interleaved", "half_split"])


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


@st.composite
def shapes(draw_from):
    window = draw_from(st.integers(1, 9))
    n_sinks = draw_from(st.integers(0, window))
    n_keys = draw_from(st.integers(1, 24))
    return draw_from(st.integers(1, n_keys)), n_sinks, window, n_keys


@given(shapes())
def test_mask_against_the_rule_pair_by_pair(sizes):
    n_queries, n_sinks, window, n_keys = sizes
    mask = lambda_mask(n_queries, n_sinks, window, n_keys)
    for i in range(n_queries):
        p = n_keys - n_queries + i
        for j in range(n_keys):
            expected = j <= p and (j < n_sinks or p - j < window)
            assert mask[i, j].item() == expected
    assert mask.dtype == torch.bool and mask.sum(-1).max() <= n_sinks + window


def test_without_sinks_it_is_the_sliding_window():
    assert torch.equal(lambda_mask(9, 0, 4), sliding_window_mask(9, 4))


def score_by_hand(query, key, distance, pairing) -> float:
    """The product of a query and a key so far apart, pair of features by pair."""
    total, half = 0.0, len(query) // 2
    frequencies = rope_frequencies(len(query)).double().tolist()
    for i, frequency in enumerate(frequencies):
        one, two = (2 * i, 2 * i + 1) if pairing == "interleaved" else (i, i + half)
        a = complex(query[one], query[two]) * cmath.exp(1j * frequency * distance)
        total += (a * complex(key[one], -key[two])).real
    return total


@PAIRINGS
@pytest.mark.parametrize(("n_sinks", "window"), [(0, 3), (1, 3), (2, 2), (4, 5)])
def test_attention_against_a_loop_that_lists_what_is_kept(pairing, n_sinks, window):
    n = 14
    query, key, value = draw(1, 2, n, 8, seed=0), draw(1, 1, n, 8, seed=1), draw(1, 1, n, 8, seed=2)
    ours = lambda_attention(
        query, key, value, n_sinks=n_sinks, window=window,
        frequencies=rope_frequencies(8), pairing=pairing,
    )  # fmt: skip
    for head in range(2):
        for p in range(n):
            first = [j for j in range(n_sinks) if j <= p]
            last = [j for j in range(p + 1) if j >= n_sinks and j > p - window]
            kept = first + last  # what a cache holds, counted anew from 0
            scores = [
                score_by_hand(query[0, head, p].tolist(), key[0, 0, j].tolist(),
                              len(kept) - 1 - place, pairing) / math.sqrt(8)
                for place, j in enumerate(kept)
            ]  # fmt: skip
            weights = torch.tensor(scores).double().softmax(0)
            torch.testing.assert_close(
                ours[0, head, p], weights @ value[0, 0, kept], atol=1e-6, rtol=0
            )


@pytest.mark.parametrize("kind", ["plain", "interleaved", "yarn", "scores not scaled"])
@torch.no_grad()
def test_on_a_short_text_the_model_is_the_ordinary_one(make_lively, kind):
    config = CONFIG
    if kind == "interleaved":
        config = replace(config, position_options=PositionOptions(rope_pairing="interleaved"))
    if kind == "scores not scaled":
        config = replace(config, wiring=Wiring(scale_scores=False))
    model = make_lively(config).double()
    if kind == "yarn":
        model = stretched(model, RopeScaling(kind="yarn", factor=4.0, original=16))
    seen = lambda_model(model, n_sinks=3, window=9)
    ours, plain = seen(TOKENS), model(TOKENS)
    torch.testing.assert_close(ours[:, :12], plain[:, :12], atol=1e-4, rtol=0)  # its fp32 angles
    assert not torch.allclose(ours[:, 13:], plain[:, 13:], atol=1e-2), "the rest is hidden"


@torch.no_grad()
def test_without_sinks_the_model_is_one_with_a_sliding_window(make_lively):
    model = make_lively(CONFIG).double()
    windowed = make_lively(replace(CONFIG, wiring=Wiring(window=5))).double()
    torch.testing.assert_close(
        lambda_model(model, 0, 5)(TOKENS), windowed(TOKENS), atol=1e-4, rtol=0
    )


@torch.no_grad()
def test_kernels_agree_and_weights_are_shared(make_lively):
    model = make_lively(CONFIG)
    seen = lambda_model(model, 2, 6)
    plain = lambda_model(model, 2, 6, attend=scaled_dot_product_attention)
    torch.testing.assert_close(seen(TOKENS), plain(TOKENS), atol=1e-4, rtol=0)
    for name, weight in seen.state_dict().items():
        assert weight.data_ptr() == model.state_dict()[name].data_ptr(), name


@torch.no_grad()
def test_a_given_mask_hides_more(make_lively):
    model = lambda_model(make_lively(CONFIG).double(), 2, 6)
    mask = lambda_mask(40, 0, 40) & (torch.arange(40) != 1)
    changed = TOKENS.clone()
    changed[:, 1] = (changed[:, 1] + 1) % 30
    rest = [row for row in range(40) if row != 1]
    ours, other = model(TOKENS, mask=mask), model(changed, mask=mask)
    torch.testing.assert_close(ours[:, rest], other[:, rest], atol=1e-10, rtol=0)


def test_bad_input_is_refused(make_lively):
    with pytest.raises(ValueError) as caught:
        lambda_mask(9, n_sinks=8, window=4)
    assert str(caught.value) == (
        "n_sinks: expected at most window=4, got 8. "
        "Fix: a few sinks are enough, 4 in the paper; lengthen the window."
    )
    with pytest.raises(ValueError, match="window: expected 1 or more, got 0."):
        check_lambda(0, 0)
    with pytest.raises(ValueError, match="n_sinks: expected 0 or more, got -1."):
        check_lambda(-1, 4)
    with pytest.raises(ValueError, match="n_keys: expected at least n_queries=3, got 2."):
        lambda_mask(3, 1, 2, n_keys=2)
    with pytest.raises(ValueError, match="position: expected a model with rope, got alibi."):
        lambda_model(make_lively(replace(CONFIG, position="alibi")), 1, 4)
    with pytest.raises(ValueError, match="wiring.window: expected None under another window"):
        lambda_model(make_lively(replace(CONFIG, wiring=Wiring(window=5))), 1, 4)
