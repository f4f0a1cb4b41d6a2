"""Sparse attention equals masked full attention, and scores only what its pattern needs."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.model.attention import scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.masks import causal_mask
from llm_course.model.sparse_attention import (
    banded_attention,
    factorised_attention,
    strided_attention,
)
from llm_course.model.sparse_masks import band_mask, stride_mask
from llm_course.shapes import ShapeError


def drawn(b=2, h=4, g=2, t=11, d=5, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(b, n, t, d, generator=generator, dtype=dtype).requires_grad_()
        for n in (h, g, g)
    ]


def agree(ours, theirs, inputs, atol=1e-12):
    weight = torch.linspace(-1, 1, inputs[0].numel(), dtype=inputs[0].dtype)
    for function in (ours, theirs):
        output = function(*inputs)
        loss = (output * weight.reshape(output.shape)).sum()
        found = [output, *torch.autograd.grad(loss, inputs)]
        expected = found if function is ours else expected  # noqa: F821 - set in the first turn
    for mine, other in zip(expected, found, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=atol)


def a_mask(kind, b, h, t, seed):
    sizes = {"b": b, "h": h, "q": t, "k": t, "1": 1}
    shape = [sizes[axis] for axis in kind.split()]
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.7


MASKS = st.sampled_from([None, "q k", "b 1 1 k", "b h q k", "1 h 1 k", "b 1 q k"])
HEADS = st.sampled_from([(4, 4), (4, 2), (2, 1)])


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 13), st.integers(1, 15), HEADS, MASKS, st.booleans(), st.integers(0, 99))
def test_a_band_of_any_width(t, window, heads, kind, causal, seed):
    inputs = drawn(h=heads[0], g=heads[1], t=t, seed=seed)
    mask = a_mask(kind, 2, heads[0], t, seed) if kind else None
    full = band_mask(t, window, causal=causal)
    full = full if mask is None else full & mask
    agree(
        lambda *x: banded_attention(*x, mask, window=window, causal=causal),
        lambda *x: scaled_dot_product_attention(*x, full),
        inputs,
    )


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 13), st.integers(1, 15), HEADS, MASKS, st.integers(0, 99))
def test_any_stride(t, stride, heads, kind, seed):
    inputs = drawn(h=heads[0], g=heads[1], t=t, seed=seed)
    mask = a_mask(kind, 2, heads[0], t, seed) if kind else None
    full = stride_mask(t, stride)
    full = full if mask is None else full & mask
    agree(
        lambda *x: strided_attention(*x, mask, stride=stride),
        lambda *x: scaled_dot_product_attention(*x, full),
        inputs,
    )


@pytest.mark.parametrize("kind", [None, "b 1 1 k", "b h q k"])
def test_half_of_the_heads_each(kind):
    inputs = drawn(h=4, g=2)
    mask = a_mask(kind, 2, 4, 11, 3) if kind else None
    full = torch.stack([band_mask(11, 3)] * 2 + [stride_mask(11, 3)] * 2)[None]
    full = full if mask is None else full & mask
    agree(
        lambda *x: factorised_attention(*x, mask, stride=3),
        lambda *x: scaled_dot_product_attention(*x, full),
        inputs,
    )


def test_single_precision():
    inputs = drawn(t=200, d=16, dtype=torch.float32)
    full = band_mask(200, 32)
    agree(
        lambda *x: banded_attention(*x, window=32),
        lambda *x: scaled_dot_product_attention(*x, full),
        inputs,
        atol=1e-5,
    )


WAYS = {
    "banded": partial(banded_attention, window=2),
    "banded, both sides": partial(banded_attention, window=2, causal=False),
    "strided": partial(strided_attention, stride=2),
    "factorised": partial(factorised_attention, stride=2),
}


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize("way", WAYS)
def test_the_gradient_is_the_derivative(way, masked):
    inputs = drawn(b=1, h=4, g=2, t=5, d=2)
    mask = torch.tensor([[True, False, True, True, False]]) if masked else None
    assert torch.autograd.gradcheck(lambda *x: WAYS[way](*x, mask), inputs)


@pytest.mark.parametrize("way", WAYS)
def test_no_token_gives_no_output(way):
    inputs = drawn(b=2, h=4, g=2, t=0, d=3)
    assert WAYS[way](*inputs).shape == (2, 4, 0, 3)


def scored(function, t):
    """How many scores are computed for a sequence: queries times keys of every call."""
    seen = []

    def counting(query, key, value, mask):
        seen.append(query.shape[0] * query.shape[2] * key.shape[2])
        return scaled_dot_product_attention(query, key, value, mask)

    function(*drawn(b=1, h=2, g=2, t=t), attend=counting)
    return sum(seen)


def test_the_cost_grows_with_the_window_and_not_with_the_square():
    band = [scored(partial(banded_attention, window=8), t) for t in (64, 128, 256)]
    assert band == [64 * 15, 128 * 15, 256 * 15], "a block of 8 queries scores 8 + 7 keys"
    wide = [scored(partial(banded_attention, window=w), 256) for w in (16, 32)]
    assert wide == [256 * 31, 256 * 63]
    assert scored(partial(strided_attention, stride=8), 256) == 256 * 32


def test_a_decoder_with_a_window_is_a_decoder_with_the_mask():
    config = DecoderConfig(
        vocab_size=11, context_length=16, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
    )
    tokens = torch.randint(0, 11, (2, 9), generator=torch.Generator().manual_seed(0))
    windowed = Decoder(config, attend=partial(banded_attention, window=3))(tokens)
    masked = Decoder(config)(tokens, mask=band_mask(9, 3))
    torch.testing.assert_close(windowed, masked, rtol=0, atol=1e-5)
    assert not torch.allclose(windowed, Decoder(config)(tokens, mask=causal_mask(9)))


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({"g": 3}, {}, ShapeError, "key: expected heads that divide n_heads=4, got 3"),
        ({}, {"window": 0}, ValueError, "window: expected a positive number"),
        ({}, {"mask": torch.ones(11, 11)}, TypeError, "mask: expected bool"),
        ({}, {"mask": torch.ones(11, 1).bool()}, ShapeError, "mask: expected 11 keys, got 1"),
    ],
)
def test_what_does_not_fit_is_refused(change, options, error, words):
    with pytest.raises(error, match=words):
        banded_attention(*drawn(**change), **({"window": 2} | options))


def test_an_odd_number_of_heads_has_no_halves():
    with pytest.raises(ShapeError, match="query: expected an even number of heads, got 3"):
        factorised_attention(*drawn(h=3, g=3), stride=2)
