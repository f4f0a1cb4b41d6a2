"""ALiBi against BLOOM's, and what it promises: a score depends on the distance alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.bloom.modeling_bloom import build_alibi_tensor

from llm_course.model.alibi import alibi_bias, alibi_slopes
from llm_course.model.masks import causal_mask


@pytest.mark.parametrize("n_heads", [1, 2, 3, 5, 6, 7, 8, 12, 14, 16, 20, 25, 32, 40, 112])
def test_slopes_and_attention_are_blooms(n_heads):
    length = 9
    theirs = build_alibi_tensor(torch.ones(1, length), n_heads, torch.float32)
    slopes = alibi_slopes(n_heads)
    torch.testing.assert_close(slopes, theirs[:, 0, 1], rtol=1e-6, atol=0)
    generator = torch.Generator().manual_seed(n_heads)
    scores = torch.randn(n_heads, length, length, generator=generator)
    here = torch.arange(length)
    # BLOOM adds slope * key position: each row differs by a constant, which softmax removes.
    ours = (scores + alibi_bias(here, here, slopes)).masked_fill(~causal_mask(length), -torch.inf)
    bloom = (scores + theirs).masked_fill(~causal_mask(length), -torch.inf)
    torch.testing.assert_close(ours.softmax(-1), bloom.softmax(-1), rtol=0, atol=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_only_distances_matter(offset, n_heads):
    here, slopes = torch.arange(6), alibi_slopes(n_heads)
    shifted = alibi_bias(here + offset, here + offset, slopes)
    assert torch.equal(shifted, alibi_bias(here, here, slopes))


def test_a_query_that_comes_later_than_its_keys_keeps_their_distances():
    here, slopes = torch.arange(7), alibi_slopes(2)
    whole = alibi_bias(here, here, slopes)
    assert torch.equal(alibi_bias(here[-1:], here, slopes), whole[:, -1:])


@given(st.integers(1, 200))
def test_slopes_are_distinct_and_fall_towards_zero(n_heads):
    slopes = alibi_slopes(n_heads)
    assert slopes.shape == (n_heads,) and len(set(slopes.tolist())) == n_heads
    assert slopes.min() > 0 and slopes.max() < 1


@pytest.mark.parametrize("n_heads", [0, -1])
def test_no_heads_are_refused(n_heads):
    with pytest.raises(ValueError, match=r"n_heads: expected a positive integer, got"):
        alibi_slopes(n_heads)
