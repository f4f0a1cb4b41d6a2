"""Splitting, sharing and merging heads."""

import pytest
import torch

from llm_course.model.heads import merge_heads, repeat_kv_heads, split_heads
from llm_course.shapes import ShapeError


def test_first_head_has_the_first_features():
    x = torch.arange(2 * 3 * 8).reshape(2, 3, 8)
    heads = split_heads(x, n_heads=4)
    assert heads.shape == (2, 4, 3, 2)
    for head in range(4):
        assert torch.equal(heads[:, head], x[:, :, 2 * head : 2 * head + 2])


@pytest.mark.parametrize("n_heads", [1, 2, 8])
def test_merge_undoes_split(n_heads):
    x = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(merge_heads(split_heads(x, n_heads)), x)


@pytest.mark.parametrize("n_groups", [1, 2, 3, 6])
def test_consecutive_query_heads_share_a_group(n_groups):
    x = torch.randn(2, n_groups, 5, 4, generator=torch.Generator().manual_seed(0))
    repeated = repeat_kv_heads(x, n_heads=6)
    assert torch.equal(repeated, x.repeat_interleave(6 // n_groups, dim=1))


@pytest.mark.parametrize("n_groups", [0, 4, 12])
def test_groups_that_do_not_divide_are_refused(n_groups):
    with pytest.raises(ShapeError) as caught:
        repeat_kv_heads(torch.zeros(2, n_groups, 5, 4), n_heads=6, name="value")
    assert str(caught.value) == (
        f"value: expected heads that divide n_heads=6, got {n_groups} "
        f"in shape (2, {n_groups}, 5, 4) (b g k d)."
    )
