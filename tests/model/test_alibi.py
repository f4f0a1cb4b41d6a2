"""ALiBi against BLOOM's own tensor, for every number of heads."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.bloom.modeling_bloom import build_alibi_tensor

from llm_course.model.alibi import alibi_bias, alibi_slopes
from llm_course.model.attention import attention_weights
from llm_course.model.masks import causal_mask
from llm_course.model.score_bias import distances


def bloom(n_heads: int, n_tokens: int) -> torch.Tensor:
    """BLOOM's bias, ``slope * key_position``: ours up to a constant in each row."""
    mask = torch.ones(1, n_tokens, dtype=torch.long)
    return build_alibi_tensor(mask, n_heads, torch.float32)[:, 0]  # h k


@pytest.mark.parametrize("n_heads", [*range(1, 41), 48, 71, 96, 112, 128])
def test_slopes_equal_blooms(n_heads):
    torch.testing.assert_close(alibi_slopes(n_heads), bloom(n_heads, 2)[:, 1], atol=0, rtol=1e-6)


@pytest.mark.parametrize("n_heads", [1, 2, 6, 8, 12, 112])
def test_bias_of_the_last_query_is_blooms_up_to_a_constant(n_heads):
    ours = alibi_bias(distances(torch.tensor([9]), torch.arange(10)), alibi_slopes(n_heads))
    theirs = bloom(n_heads, 10)
    torch.testing.assert_close(ours[0, :, 0], theirs - theirs[:, -1:], atol=1e-6, rtol=0)


def test_attention_under_it_equals_attention_under_blooms():
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(2, 6, 9, 4, generator=generator).double() for _ in range(2))
    mask, positions = causal_mask(9), torch.arange(9)
    ours = alibi_bias(distances(positions, positions), alibi_slopes(6))
    theirs = bloom(6, 9)[None, :, None]
    torch.testing.assert_close(
        attention_weights(query, key, mask, ours),
        attention_weights(query, key, mask, theirs),
        atol=1e-7,
        rtol=0,
    )


@given(st.integers(1, 200))
def test_slopes_of_every_count_are_distinct_prices_below_one(n_heads):
    slopes = alibi_slopes(n_heads)
    assert slopes.shape == (n_heads,)
    assert slopes.unique().numel() == n_heads
    assert slopes.min() > 2**-8.001 and slopes.max() < 1


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_depends_on_the_offset_only(query, key, shift):
    def bias(at_query, at_key):
        return alibi_bias(
            distances(torch.tensor([at_query]), torch.tensor([at_key])), alibi_slopes(6)
        )

    assert torch.equal(bias(query, key), bias(query + shift, key + shift))
    assert torch.equal(bias(query, key), bias(key, query)), "ahead costs what behind costs"


def test_no_heads_are_refused():
    with pytest.raises(ValueError) as caught:
        alibi_slopes(0)
    assert str(caught.value) == "n_heads: expected 1 or more, got 0."
