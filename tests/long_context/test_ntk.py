"""NTK-aware and dynamic scaling equal Transformers' ``dynamic``, live and by its own function."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from llm_course.long_context.ntk import dynamic_ntk_frequencies, ntk_frequencies
from llm_course.long_context.position_interpolation import interpolated_frequencies
from llm_course.model.positions import rope_angles, rope_frequencies


def their_config(d_head: int, base: float, factor: float, original: int) -> LlamaConfig:
    return LlamaConfig(
        hidden_size=2 * d_head, num_attention_heads=2, max_position_embeddings=original,
        rope_parameters={"rope_type": "dynamic", "rope_theta": base, "factor": factor},
    )  # fmt: skip


@pytest.mark.parametrize("n_tokens", [5, 2048, 2049, 8192, 32_768])
@pytest.mark.parametrize(
    ("d_head", "base", "factor"), [(64, 100_000.0, 4.0), (64, 10_000.0, 2.0), (10, 500.0, 1.0)]
)
def test_cosines_and_sines_equal_transformers_dynamic(n_tokens, d_head, base, factor):
    theirs = LlamaRotaryEmbedding(their_config(d_head, base, factor, 2048))
    cosine, sine = theirs(torch.zeros(1), torch.arange(n_tokens)[None])
    frequencies = dynamic_ntk_frequencies(d_head, factor, 2048, n_tokens, base)
    ours = rope_angles(torch.arange(n_tokens), frequencies)
    for mine, other in zip(ours, (cosine, sine), strict=True):
        assert torch.equal(mine, other[0, :, : d_head // 2])


@pytest.mark.parametrize(("d_head", "base", "factor"), [(64, 1e5, 4.0), (32, 1e4, 16.0)])
def test_a_fixed_factor_is_their_dynamic_at_that_many_times_the_length(d_head, base, factor):
    config = their_config(d_head, base, 1.0, 1024)  # with their factor 1 the base follows length
    theirs, _ = ROPE_INIT_FUNCTIONS["dynamic"](config, None, seq_len=int(factor * 1024))
    assert torch.equal(ntk_frequencies(d_head, factor, base), theirs)


@given(st.integers(2, 64), st.floats(1.0, 64.0), st.floats(100.0, 1e6))
def test_the_first_pair_is_kept_and_the_last_interpolated(n_pairs, factor, base):
    ours = ntk_frequencies(2 * n_pairs, factor, base)
    plain, slowed = (
        rope_frequencies(2 * n_pairs, base),
        interpolated_frequencies(2 * n_pairs, factor, base),
    )
    assert ours[0] == 1.0
    torch.testing.assert_close(ours[-1], slowed[-1], rtol=1e-4, atol=0)
    # The exponents' fp32 rounding allows a last digit.
    assert (ours <= plain * (1 + 1e-5)).all() and (ours >= slowed * (1 - 1e-4)).all()


@given(st.integers(1, 4096))
def test_within_the_trained_length_nothing_changes(n_tokens):
    ours = dynamic_ntk_frequencies(64, 4.0, 4096, n_tokens)
    torch.testing.assert_close(ours, rope_frequencies(64), rtol=1e-6, atol=0)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="d_head: expected at least 4 for a larger base, got 2."):
        ntk_frequencies(2, 2.0)
    with pytest.raises(ValueError, match="factor: expected 1 or more"):
        ntk_frequencies(8, 0.5)
    with pytest.raises(ValueError, match="factor: expected 1 or more"):
        dynamic_ntk_frequencies(8, 0.5, 8, 80)
    with pytest.raises(ValueError, match="n_tokens: expected a positive number of tokens, got 0."):
        dynamic_ntk_frequencies(8, 2.0, 8, 0)
    with pytest.raises(ValueError, match="original: expected a positive number of tokens, got -1."):
        dynamic_ntk_frequencies(8, 2.0, -1, 8)
