"""Multi-head and cross-attention against PyTorch's module with copied weights."""

import pytest
import torch
from torch import nn

from llm_course.model.masks import causal_mask
from llm_course.model.multi_head import cross_attention, multi_head_attention
from llm_course.shapes import ShapeError


def test_multi_head_attention_equals_torch_with_copied_weights():
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(8, 2, bias=False, batch_first=True).double()
    w_query, w_key, w_value = (w.T for w in theirs.in_proj_weight.chunk(3))
    x, mask = torch.randn(2, 5, 8).double(), causal_mask(5)
    ours = multi_head_attention(x, w_query, w_key, w_value, theirs.out_proj.weight.T, 2, mask)
    # nn.MultiheadAttention has the other convention: True = hidden.
    expected, _ = theirs(x, x, x, attn_mask=~mask)
    torch.testing.assert_close(ours, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("n_keys", [1, 3, 9])
def test_cross_attention_equals_torch_with_copied_weights(n_keys):
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(8, 4, bias=False, batch_first=True).double()
    matrices = [w.T for w in theirs.in_proj_weight.chunk(3)] + [theirs.out_proj.weight.T]
    x, memory = torch.randn(2, 5, 8).double(), torch.randn(2, n_keys, 8).double()
    visible = torch.ones(2, n_keys).bool()
    visible[1, 1:] = False
    ours = cross_attention(x, memory, *matrices, n_heads=4, mask=visible[:, None, None])
    expected, _ = theirs(x, memory, memory, key_padding_mask=~visible)
    torch.testing.assert_close(ours, expected, atol=1e-12, rtol=0)


def test_the_order_of_the_memory_does_not_matter_and_that_of_the_queries_is_kept():
    generator = torch.Generator().manual_seed(0)
    x, memory = (torch.randn(1, 4, 8, generator=generator).double() for _ in range(2))
    matrices = torch.randn(4, 8, 8, generator=generator).double()
    plain = cross_attention(x, memory, *matrices, n_heads=2)
    shuffled = cross_attention(x, memory[:, [2, 0, 3, 1]], *matrices, n_heads=2)
    torch.testing.assert_close(shuffled, plain, atol=1e-12, rtol=0)
    turned = cross_attention(x.flip(1), memory, *matrices, n_heads=2)
    torch.testing.assert_close(turned, plain.flip(1), atol=1e-12, rtol=0)


def test_a_memory_of_another_width_or_batch_is_refused():
    square = torch.zeros(8, 8)
    for shape, expected in (((1, 3, 6), "d=8"), ((2, 3, 8), "b=1")):
        with pytest.raises(ShapeError, match=f"memory: expected .*{expected}"):
            cross_attention(torch.zeros(1, 2, 8), torch.zeros(shape), *[square] * 4, n_heads=2)


@pytest.mark.parametrize(
    ("x", "w_key", "n_heads", "message"),
    [
        ((5, 8), (8, 8), 2, "x: expected 3 axes (b t d), got shape (5, 8)."),
        ((1, 5, 8), (8, 8), 3, "n_heads: expected a divisor of d_model=8, got 3."),
        ((1, 5, 8), (8, 8), 0, "n_heads: expected a divisor of d_model=8, got 0."),
        ((1, 5, 8), (8, 4), 2, "w_key: expected d_out=8, got 4 in shape (8, 4) (d_in d_out)."),
    ],
)
def test_multi_head_attention_refuses(x, w_key, n_heads, message):
    square = torch.zeros(8, 8)
    with pytest.raises(ShapeError) as caught:
        multi_head_attention(torch.zeros(x), square, torch.zeros(w_key), square, square, n_heads)
    assert str(caught.value) == message
