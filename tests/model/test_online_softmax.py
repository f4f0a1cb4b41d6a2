"""Pieces of a softmax, merged in any order, are the softmax of the whole."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.online_softmax import (
    attention_of,
    log_normaliser,
    online_softmax_merge,
    partial_attention,
)


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 10**6), st.floats(0.1, 300)
)
def test_pieces_of_any_size_in_any_order(sizes, seed, spread):
    generator = torch.Generator().manual_seed(seed)
    scores = spread * torch.randn(3, sum(sizes), generator=generator, dtype=torch.float64)
    scores = scores.masked_fill(torch.rand(scores.shape, generator=generator) < 0.3, -torch.inf)
    value = torch.randn(sum(sizes), 2, generator=generator, dtype=torch.float64)
    pieces = [
        partial_attention(s, v)
        for s, v in zip(scores.split(sizes, -1), value.split(sizes), strict=True)
    ]
    order = torch.randperm(len(pieces), generator=generator).tolist()
    whole = pieces[order[0]]
    for index in order[1:]:
        whole = online_softmax_merge(whole, pieces[index])
    expected = scores.softmax(-1).nan_to_num() @ value
    torch.testing.assert_close(attention_of(whole), expected, rtol=1e-12, atol=1e-12)
    hidden = (scores == -torch.inf).all(-1)
    log_sum = scores.logsumexp(-1).masked_fill(hidden, torch.inf)
    torch.testing.assert_close(log_normaliser(whole), log_sum, rtol=1e-12, atol=1e-12)


def test_scores_far_beyond_the_range_of_exp():
    scores = torch.tensor([[1e4, -1e4]])
    pieces = [partial_attention(s, torch.ones(1, 1)) for s in scores.split(1, -1)]
    assert attention_of(online_softmax_merge(*pieces)).item() == 1.0
