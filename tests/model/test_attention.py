"""Attention against PyTorch's own, forward and backward, and what a mask means."""

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from llm_course.model.attention import (
    Attention,
    attention_weights,
    fused_attention,
    scaled_dot_product_attention,
)
from llm_course.model.masks import causal_mask
from llm_course.shapes import ShapeError

BOTH = pytest.mark.parametrize("attend", [scaled_dot_product_attention, fused_attention])
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
PADDING = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]).bool()[:, None, None, :]
MASKS = {
    "none": None,
    "causal": causal_mask(5),
    "padding": PADDING,
    "both": causal_mask(5) & PADDING,
    "one a head": torch.rand(1, 6, 5, 5, generator=torch.Generator().manual_seed(3)) < 0.5,
}
MASKS["one a head"] |= torch.eye(5, dtype=torch.bool)  # every row sees something


def heads(n_kv_heads: int, dtype: torch.dtype, n_keys: int = 5) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 6, 5, 4), (2, n_kv_heads, n_keys, 4), (2, n_kv_heads, n_keys, 4)]
    return [
        torch.randn(s, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
        for s in shapes
    ]


def value_and_gradients(attend, inputs: list[Tensor], mask: Tensor | None) -> list[Tensor]:
    output = attend(*inputs, mask)
    steepness = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).reshape(output.shape)
    return [output, *torch.autograd.grad((output * steepness).sum(), inputs)]


BIAS = torch.randn(1, 6, 5, 5, generator=torch.Generator().manual_seed(4)).double()


@BOTH
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n_kv_heads", [6, 2])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("scale", [None, 1.0])
def test_bias_and_scale_equal_torchs_forward_and_gradients(attend, dtype, n_kv_heads, mask, scale):
    mask = MASKS[mask]
    inputs = [*heads(n_kv_heads, dtype), BIAS.to(dtype).requires_grad_()]

    def theirs(query, key, value, bias, _):
        added = bias if mask is None else bias.masked_fill(~mask, float("-inf"))
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask=added, scale=scale, enable_gqa=True
        )

    def ours(query, key, value, bias, _):
        return attend(query, key, value, mask, bias, scale)

    got, expected = (value_and_gradients(function, inputs, None) for function in (ours, theirs))
    for name, one, other in zip(("output", "dQ", "dK", "dV", "dB"), got, expected, strict=True):
        torch.testing.assert_close(
            one, other, atol=2 * TOLERANCE[dtype], rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )


@BOTH
def test_a_bias_of_minus_infinity_is_no_way_to_see_what_the_mask_hides(attend):
    query, key, value = heads(6, torch.float64)
    huge = torch.full((1, 1, 5, 5), 1e4).double()
    huge[..., 0] = 0.0
    mask = causal_mask(5) & (torch.arange(5) == 0)
    attended = attend(query, key, value, mask, huge)
    torch.testing.assert_close(attended, value[:, :, :1].expand(2, 6, 5, 4), atol=1e-12, rtol=0)


@BOTH
def test_a_blind_row_stays_zero_with_a_bias(attend):
    mask = causal_mask(5).clone()
    mask[2] = False
    inputs = [*heads(2, torch.float32), BIAS.float().requires_grad_()]
    output, *gradients = value_and_gradients(
        lambda q, k, v, bias, _: attend(q, k, v, mask, bias), inputs, None
    )
    assert output[:, :, 2].abs().max() == 0
    assert gradients[3][:, :, 2].abs().max() == 0, "the bias of a blind row has no gradient"
    assert all(gradient.isfinite().all() for gradient in gradients)


@BOTH
def test_a_bias_that_does_not_fit_is_refused(attend):
    with pytest.raises(ShapeError, match="bias: expected axes b h q k that broadcast to"):
        attend(*heads(6, torch.float32), None, BIAS[0].float())
    with pytest.raises(
        TypeError, match="bias: expected floats to add to the scores, got torch.bool"
    ):
        attend(*heads(6, torch.float32), None, BIAS > 0)


def torch_attention(query, key, value, mask):
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=True)


@BOTH
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n_kv_heads", [6, 3, 2, 1])
@pytest.mark.parametrize("mask", MASKS)
def test_equals_torch_forward_and_gradients(attend, dtype, n_kv_heads, mask):
    inputs = heads(n_kv_heads, dtype)
    ours = value_and_gradients(attend, inputs, MASKS[mask])
    theirs = value_and_gradients(torch_attention, inputs, MASKS[mask])
    for name, got, expected in zip(("output", "dQ", "dK", "dV"), ours, theirs, strict=True):
        torch.testing.assert_close(
            got, expected, atol=TOLERANCE[dtype], rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("mask", [None, causal_mask(3), torch.tensor([[1, 0], [0, 0], [1, 1]]) > 0])
def test_gradcheck(mask):
    n_keys = 3 if mask is None else mask.shape[1]
    query, key, value = (
        torch.randn(1, h, t, 2, generator=torch.Generator().manual_seed(h + t)).double()
        for h, t in [(4, 3), (2, n_keys), (2, n_keys)]
    )
    inputs = [x.requires_grad_() for x in (query, key, value)]
    assert torch.autograd.gradcheck(
        lambda q, k, v: scaled_dot_product_attention(q, k, v, mask), inputs
    )


@BOTH
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_query_that_sees_nothing_gets_zeros_and_harms_no_gradient(attend, dtype):
    mask = causal_mask(5).clone()
    mask[2] = False
    inputs = heads(2, dtype)
    with torch.autograd.set_detect_anomaly(
        True
    ):  # fails at a NaN on the way, even one that is lost
        output, *gradients = value_and_gradients(attend, inputs, mask)
    assert output[:, :, 2].abs().max() == 0, "a row with nothing to see must be exactly zero"
    assert output[:, :, [0, 1, 3, 4]].abs().amin() > 0
    assert gradients[0][:, :, 2].abs().max() == 0, "dQ of a row that sees nothing must be zero"
    assert all(g.isfinite().all() for g in gradients), "NaN in the backward pass"


@BOTH
def test_everything_hidden(attend):
    results = value_and_gradients(attend, heads(6, torch.float32), torch.zeros(5, 5) > 0)
    assert all(torch.equal(x, torch.zeros_like(x)) for x in results)


@BOTH
def test_mask_polarity_the_future_is_not_seen_and_the_past_is(attend):
    query, key, value = heads(2, torch.float32)
    before = attend(query, key, value, causal_mask(5))
    later = torch.arange(5)[:, None] > 2
    after = attend(query, key + later, value - 3.0 * later, causal_mask(5))
    assert torch.equal(before[:, :, :3], after[:, :, :3]), "a change of the future was seen"
    assert (before - after)[:, :, 3:].abs().amin() > 1e-3, "a change of the past was not seen"


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_rows_are_distributions_over_the_visible_keys(seed, density):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(2, 1, 5, 5, generator=generator) < density
    query, key, _ = heads(3, torch.float64)
    weights = attention_weights(query, key, mask)
    assert (weights >= 0).all()
    assert weights.masked_select(~mask).abs().sum() == 0, "a hidden key has weight"
    sees_something = mask.any(-1).expand(2, 6, 5)
    torch.testing.assert_close(weights.sum(-1), sees_something.double(), atol=1e-12, rtol=0)


def test_one_query_against_cached_keys():
    query, key, value = heads(2, torch.float64, n_keys=9)
    mask = causal_mask(5, 9)
    last = scaled_dot_product_attention(query[:, :, -1:], key, value, mask[-1:])
    whole = scaled_dot_product_attention(query, key, value, mask)
    torch.testing.assert_close(last, whole[:, :, -1:], atol=1e-12, rtol=0)


@BOTH
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_in_its_dtype(attend, dtype):
    narrow = attend(*heads(2, dtype), causal_mask(5))
    assert narrow.dtype == dtype
    wide = scaled_dot_product_attention(*heads(2, torch.float64), causal_mask(5))
    torch.testing.assert_close(narrow.double(), wide, atol=3e-2, rtol=0)


@pytest.mark.parametrize("attend", [scaled_dot_product_attention, fused_attention])
def test_module_equals_torch_with_copied_weights(attend):
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(8, 4, batch_first=True).double()
    ours = Attention(8, 4, 4, bias=True, attend=attend).double()
    nn.init.normal_(theirs.in_proj_bias)
    nn.init.normal_(theirs.out_proj.bias)
    weights = dict(zip(("query", "key", "value"), theirs.in_proj_weight.chunk(3), strict=True))
    biases = dict(zip(("query", "key", "value"), theirs.in_proj_bias.chunk(3), strict=True))
    state = {f"{name}.weight": w for name, w in weights.items()}
    state |= {f"{name}.bias": b for name, b in biases.items()}
    state |= {f"output.{name}": w for name, w in theirs.out_proj.state_dict().items()}
    ours.load_state_dict(state)
    x, mask = torch.randn(2, 5, 8).double(), PADDING
    expected, weights = theirs(
        x, x, x, key_padding_mask=~rearrange(mask, "b 1 1 k -> b k"), average_attn_weights=False
    )
    torch.testing.assert_close(ours(x, mask), expected, atol=1e-12, rtol=0)
    query, key, _ = ours.heads(x)
    torch.testing.assert_close(attention_weights(query, key, mask), weights, atol=1e-12, rtol=0)


@pytest.mark.parametrize("attend", [scaled_dot_product_attention, fused_attention])
def test_cross_attention_equals_torch_with_copied_weights(attend):
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(8, 4, batch_first=True).double()
    ours = Attention(8, 4, 4, bias=True, attend=attend).double()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter)
    state = {f"output.{name}": w for name, w in theirs.out_proj.state_dict().items()}
    for kind in ("weight", "bias"):
        thirds = getattr(theirs, f"in_proj_{kind}").chunk(3)
        for name, third in zip(("query", "key", "value"), thirds, strict=True):
            state[f"{name}.{kind}"] = third
    ours.load_state_dict(state)
    x, memory = torch.randn(2, 3, 8).double(), torch.randn(2, 5, 8).double()
    expected, _ = theirs(x, memory, memory, key_padding_mask=~rearrange(PADDING, "b 1 1 k -> b k"))
    torch.testing.assert_close(ours(x, PADDING, memory=memory), expected, atol=1e-11, rtol=0)


def test_a_kernel_is_given_bias_and_scale_only_where_there_are_any():
    seen = []

    def attend(query, key, value, mask, **options):
        seen.append(options)
        return query

    x, bias = torch.zeros(1, 5, 8), torch.zeros(1, 1, 5, 5)
    Attention(8, 4, 4, attend=attend)(x)
    Attention(8, 4, 4, attend=attend, scale=1.0)(x, bias=bias)
    assert seen[0] == {}
    assert seen[1]["bias"] is bias and seen[1]["scale"] == 1.0


def test_grouped_module_is_a_multi_head_module_with_repeated_weights():
    torch.manual_seed(0)
    grouped, full = Attention(12, 6, 2, bias=True).double(), Attention(12, 6, 6, bias=True).double()
    state = grouped.state_dict()
    for name in ("key.weight", "key.bias", "value.weight", "value.bias"):
        state[name] = state[name].unflatten(0, (2, 2)).repeat_interleave(3, dim=0).flatten(0, 1)
    full.load_state_dict(state)
    x = torch.randn(2, 5, 12).double()
    torch.testing.assert_close(grouped(x), full(x), atol=1e-12, rtol=0)


def test_rotation_reaches_queries_and_keys_but_not_values():
    x, layer = torch.ones(1, 2, 4), Attention(4, 2, 1)
    plain, rotated = layer.heads(x), layer.heads(x, rotate=lambda heads: heads + 1)
    assert torch.equal(rotated[0], plain[0] + 1)
    assert torch.equal(rotated[1], plain[1] + 1)
    assert torch.equal(rotated[2], plain[2])


ERRORS = {
    "query: expected 4 axes (b h q d), got shape (5, 4).": ((5, 4), (2, 6, 5, 4), (2, 6, 5, 4)),
    "key: expected d=4, got 3 in shape (2, 6, 5, 3) (b g k d).": (
        (2, 6, 5, 4), (2, 6, 5, 3), (2, 6, 5, 4),
    ),
    "key: expected b=2, got 1 in shape (1, 6, 5, 4) (b g k d).": (
        (2, 6, 5, 4), (1, 6, 5, 4), (2, 6, 5, 4),
    ),
    "value: expected k=5, got 7 in shape (2, 6, 7, 4) (b g k d).": (
        (2, 6, 5, 4), (2, 6, 5, 4), (2, 6, 7, 4),
    ),
    "value: expected g=6, got 3 in shape (2, 3, 5, 4) (b g k d).": (
        (2, 6, 5, 4), (2, 6, 5, 4), (2, 3, 5, 4),
    ),
    "key: expected heads that divide n_heads=6, got 4 in shape (2, 4, 5, 4) (b g k d).": (
        (2, 6, 5, 4), (2, 4, 5, 4), (2, 4, 5, 4),
    ),
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("message", ERRORS)
def test_shapes_that_do_not_fit(attend, message):
    with pytest.raises(ShapeError) as caught:
        attend(*(torch.zeros(shape) for shape in ERRORS[message]))
    assert str(caught.value) == message


@BOTH
def test_float_mask_and_misread_mask_are_refused(attend):
    with pytest.raises(TypeError, match="expected bool .True = may attend., got torch.float32"):
        attend(*heads(6, torch.float32), causal_mask(5).float())
    with pytest.raises(ShapeError, match=r"got shape \(2, 5, 5\)"):
        attend(*heads(6, torch.float32), causal_mask(5).expand(2, 5, 5))
