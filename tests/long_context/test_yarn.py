"""YaRN equals Transformers' ``yarn``, frequencies and magnitude, at 32k positions."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from llm_course.long_context.position_interpolation import interpolated_frequencies
from llm_course.long_context.yarn import (
    YarnRange,
    pair_that_turns,
    yarn_frequencies,
    yarn_magnitude,
    yarn_ramp,
)
from llm_course.model.positions import rope_angles, rope_frequencies

LONG = 32_768
CASES: dict[str, tuple[int, float, float, int, dict[str, Any]]] = {
    "smollm2": (64, 100_000.0, 4.0, 8192, {}),
    "llama": (128, 10_000.0, 16.0, 4096, {}),
    "small": (16, 10_000.0, 8.0, 128, {}),
    "odd factor": (64, 500_000.0, 7.3, 2048, {}),
    "own range": (64, 10_000.0, 4.0, 2048, {"beta_fast": 16.0, "beta_slow": 2.0}),
    "no whole pairs": (64, 10_000.0, 4.0, 2048, {"truncate": False}),
    "nothing stretched": (64, 10_000.0, 1.0, 2048, {}),
}


def theirs(d_head, base, factor, original, more):
    config = LlamaConfig(
        hidden_size=2 * d_head, num_attention_heads=2,
        max_position_embeddings=round(factor * original),
        rope_parameters={
            "rope_type": "yarn", "rope_theta": base, "factor": factor,
            "original_max_position_embeddings": original, **more,
        },
    )  # fmt: skip
    return LlamaRotaryEmbedding(config)


@pytest.mark.parametrize("case", CASES)
def test_cosines_and_sines_equal_transformers_yarn_at_32k(case):
    d_head, base, factor, original, more = CASES[case]
    turns = YarnRange(
        more.get("beta_fast", 32.0), more.get("beta_slow", 1.0), more.get("truncate", True)
    )
    frequencies = yarn_frequencies(d_head, factor, original, base, turns)
    ours = rope_angles(torch.arange(LONG), frequencies, yarn_magnitude(factor))
    other = theirs(d_head, base, factor, original, more)(torch.zeros(1), torch.arange(LONG)[None])
    for mine, their in zip(ours, other, strict=True):
        assert torch.equal(mine, their[0, :, : d_head // 2])


def test_the_magnitude_with_two_mscales_is_theirs():
    rotary = theirs(64, 1e4, 40.0, 4096, {"mscale": 1.2, "mscale_all_dim": 0.8})
    ours = yarn_magnitude(40.0, 1.2) / yarn_magnitude(40.0, 0.8)
    assert rotary.attention_scaling == ours
    assert yarn_magnitude(1.0) == 1.0


@given(
    n_pairs=st.integers(1, 64),
    factor=st.floats(1.0, 64.0),
    original=st.integers(8, 10_000),
    base=st.floats(100.0, 1e6),
)
def test_every_pair_lies_between_untouched_and_interpolated(n_pairs, factor, original, base):
    d_head = 2 * n_pairs
    ours = yarn_frequencies(d_head, factor, original, base)
    plain = rope_frequencies(d_head, base)
    slowed = interpolated_frequencies(d_head, factor, base)
    assert (ours <= plain * (1 + 1e-6)).all() and (ours >= slowed * (1 - 1e-6)).all()
    ramp = yarn_ramp(d_head, original, base)
    assert (ramp.diff() >= 0).all() and ramp.min() >= 0 and ramp.max() <= 1


def test_pairs_that_turn_often_are_kept_and_those_that_hardly_turn_are_interpolated():
    d_head, original, factor, base = 64, 2048, 8.0, 10_000.0
    ours = yarn_frequencies(d_head, factor, original, base, YarnRange(whole_pairs=False))
    for i, (mine, plain) in enumerate(zip(ours, rope_frequencies(d_head, base), strict=True)):
        turns = original * base ** (-2 * i / d_head) / (2 * math.pi)  # counted pair by pair
        if turns >= 32:
            torch.testing.assert_close(mine, plain, rtol=1e-6, atol=0)
        elif turns <= 1:
            torch.testing.assert_close(mine, plain / factor, rtol=1e-6, atol=0)
        else:
            assert plain / factor < mine < plain


def test_the_pair_that_turns_so_often_turns_so_often():
    i = pair_that_turns(5.0, 64, 2048, 10_000.0)
    assert math.isclose(2048 * 10_000.0 ** (-2 * i / 64) / (2 * math.pi), 5.0, rel_tol=1e-12)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="factor: expected 1 or more"):
        yarn_frequencies(8, 0.5, 128)
    with pytest.raises(ValueError, match="factor: expected 1 or more"):
        yarn_magnitude(0.5)
    with pytest.raises(ValueError, match="d_head: expected a positive even number"):
        yarn_frequencies(7, 2.0, 128)
    with pytest.raises(ValueError, match="original: expected a positive number of tokens, got 0."):
        yarn_frequencies(8, 2.0, 0)
    with pytest.raises(ValueError, match="base: expected a number above 1, got 1.0."):
        yarn_frequencies(8, 2.0, 128, base=1.0)
    with pytest.raises(ValueError, match="turns: expected 0 < slow <= fast, got 2.0 and 1.0."):
        yarn_frequencies(8, 2.0, 128, turns=YarnRange(1.0, 2.0))
