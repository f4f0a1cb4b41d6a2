"""Masks of sparse attention against a loop over every pair of positions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.sparse_masks import (
    band_mask,
    block_mask,
    fixed_mask,
    sparse_mask,
    stride_mask,
    summary_mask,
)


@given(st.integers(0, 12), st.integers(1, 14))
def test_every_pair(length, size):
    pairs = [[(q, k) for k in range(length)] for q in range(length)]
    causal = [[k <= q and q - k < size for q, k in row] for row in pairs]
    both = [[abs(q - k) < size for q, k in row] for row in pairs]
    strided = [[k <= q and (q - k) % size == 0 for q, k in row] for row in pairs]
    assert band_mask(length, size).tolist() == causal
    assert band_mask(length, size, causal=False).tolist() == both
    assert stride_mask(length, size).tolist() == strided


@given(st.integers(0, 12), st.integers(1, 14), st.integers(1, 14))
def test_band_and_strides_together(length, window, stride):
    pairs = [[(q, k) for k in range(length)] for q in range(length)]
    seen = [[k <= q and (q - k < window or (q - k) % stride == 0) for q, k in row] for row in pairs]
    assert sparse_mask(length, window, stride).tolist() == seen


def test_two_layers_of_band_and_stride_reach_everything_before():
    reached = (band_mask(30, 5).int() @ stride_mask(30, 5).int()) > 0
    assert torch.equal(reached, torch.ones(30, 30).tril().bool())


@given(st.integers(0, 14), st.integers(1, 6), st.data())
def test_the_fixed_pattern(length, block, data):
    c = data.draw(st.integers(1, block))
    own, last = (
        [[k <= q and sees(q, k) for k in range(length)] for q in range(length)]
        for sees in (lambda q, k: q // block == k // block, lambda q, k: block - k % block <= c)
    )
    both = [[a or b for a, b in zip(*rows, strict=True)] for rows in zip(own, last, strict=True)]
    assert block_mask(length, block).tolist() == own
    assert summary_mask(length, block, c).tolist() == last
    assert fixed_mask(length, block, c).tolist() == both


def test_two_layers_of_blocks_and_summaries_reach_everything_before_the_block():
    gathered, spread = block_mask(30, 5).int(), summary_mask(30, 5).int()
    reached = (spread @ gathered) > 0  # the summary gathers in one layer, the query reads it next
    q, k = torch.arange(30)[:, None], torch.arange(30)
    assert reached[k // 5 < q // 5].all()
    assert not reached[k > q].any()


def test_more_summaries_than_a_block_has_are_refused():
    with pytest.raises(ValueError, match="summaries: expected at most block=3, got 4"):
        fixed_mask(6, block=3, summaries=4)
    with pytest.raises(ValueError, match="block: expected a positive number of positions, got 0"):
        fixed_mask(6, block=0)


@pytest.mark.parametrize("size", [0, -1])
def test_sizes_are_positive(size):
    with pytest.raises(ValueError, match="window: expected a positive number of positions"):
        band_mask(3, size)
    with pytest.raises(ValueError, match="stride: expected a positive number of positions"):
        stride_mask(3, size)
