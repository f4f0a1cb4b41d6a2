"""Grouped-query attention against PyTorch's, which repeats the heads."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.attention import scaled_dot_product_attention
from llm_course.model.grouped_query import grouped_query_attention
from llm_course.model.masks import causal_mask
from llm_course.shapes import ShapeError

MASKS = {
    "none": None,
    "causal": causal_mask(5, 7),
    "padding": torch.arange(7) < torch.tensor([4, 7]).reshape(2, 1, 1, 1),
    "one a head": torch.rand(2, 6, 5, 7, generator=torch.Generator().manual_seed(0)) < 0.6,
}
MASKS["one a head"][..., 0] = True


def inputs(n_groups, n_heads=6):
    generator = torch.Generator().manual_seed(n_groups)
    query = torch.randn(2, n_heads, 5, 8, generator=generator).double()
    key, value = torch.randn(2, 2, n_groups, 7, 8, generator=generator).double()
    return [x.requires_grad_() for x in (query, key, value)]


@pytest.mark.parametrize("attend", [None, scaled_dot_product_attention])
@pytest.mark.parametrize("n_groups", [1, 2, 3, 6])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_equals_torch_forward_and_gradients(mask, n_groups, attend):
    given = inputs(n_groups)
    chosen = {} if attend is None else {"attend": attend}
    ours = grouped_query_attention(*given, mask, **chosen)
    theirs = F.scaled_dot_product_attention(*given, attn_mask=mask, enable_gqa=True)
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)
    slope = torch.randn(ours.shape, generator=torch.Generator().manual_seed(9)).double()
    ours, theirs = (torch.autograd.grad(x, given, slope) for x in (ours, theirs))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-12, rtol=0)


def test_gradcheck():
    query, key, value = (x[:1, ..., :3, :2].detach().requires_grad_() for x in inputs(2))
    assert torch.autograd.gradcheck(grouped_query_attention, (query, key, value))


def test_a_query_that_sees_nothing_gets_zeros():
    query, key, value = inputs(3)
    out = grouped_query_attention(query, key, value, torch.zeros(5, 7, dtype=torch.bool))
    assert torch.equal(out, torch.zeros_like(out))


@given(st.integers(1, 4), st.integers(1, 4))
def test_a_head_reads_the_keys_of_its_own_group_alone(n_groups, per_group):
    query, key, value = (x.detach() for x in inputs(n_groups, n_groups * per_group))
    before = grouped_query_attention(query, key, value)
    value = value.clone()
    value[:, -1] += 1
    moved = (grouped_query_attention(query, key, value) - before).abs().amax(dim=(0, 2, 3)) > 0.5
    assert moved.tolist() == [False] * (n_groups - 1) * per_group + [True] * per_group


def test_groups_that_do_not_divide_are_refused():
    with pytest.raises(ShapeError, match="expected heads that divide n_heads=6, got 4"):
        grouped_query_attention(*(x.detach() for x in inputs(4)))
