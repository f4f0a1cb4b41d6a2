"""Tiled attention equals attention: forward, backward, masks, groups; and keeps no matrix."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from llm_course.model.attention import scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.flash_attention import flash_attention
from llm_course.model.masks import causal_mask
from llm_course.shapes import ShapeError


def drawn(b=2, h=4, g=4, q=7, k=7, d=8, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = (b, h, q, d), (b, g, k, d), (b, g, k, d)
    return [
        torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes
    ]


def gradients(function, inputs):
    output = function(*inputs)
    weight = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).reshape(output.shape)
    return [output, *torch.autograd.grad((output * weight).sum(), inputs)]


def padding(b, k, seed=1):
    lengths = torch.randint(1, k + 1, (b,), generator=torch.Generator().manual_seed(seed))
    return (torch.arange(k) < lengths[:, None])[:, None, None, :]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 3), st.sampled_from([(4, 4), (4, 2), (6, 1)]), st.integers(1, 9),
    st.integers(1, 9), st.integers(1, 10), st.booleans(), st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_equal_to_attention_with_the_matrix(b, heads, q, k, tile, causal, padded, seed):
    h, g = heads
    q = k if causal else q
    inputs = drawn(b, h, g, q, k, seed=seed)
    mask = padding(b, k, seed) if padded else None
    full = causal_mask(k) if causal else torch.ones(q, k, dtype=torch.bool)
    full = full if mask is None else full & mask
    ours = gradients(lambda *x: flash_attention(*x, mask, causal=causal, tile=tile), inputs)
    theirs = gradients(lambda *x: scaled_dot_product_attention(*x, full), inputs)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("g", [4, 2, 1])
def test_equal_to_pytorchs_in_single_precision(g):
    inputs = drawn(h=4, g=g, q=300, k=300, d=16, dtype=torch.float32)
    ours = gradients(lambda *x: flash_attention(*x, causal=True, tile=64), inputs)
    theirs = gradients(
        lambda *x: F.scaled_dot_product_attention(*x, is_causal=True, enable_gqa=True), inputs
    )
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)


def test_a_second_derivative_is_refused():
    query, key, value = drawn(b=1, h=2, g=1, q=5, k=5, d=3)
    loss = flash_attention(query, key, value).sum()
    with pytest.raises(RuntimeError, match="create_graph: expected False"):
        torch.autograd.grad(loss, query, create_graph=True)


@pytest.mark.parametrize("causal", [True, False])
def test_the_gradient_is_the_derivative(causal):
    inputs = drawn(b=1, h=2, g=1, q=5, k=5, d=3)
    mask = padding(1, 5, seed=3)
    assert torch.autograd.gradcheck(
        lambda *x: flash_attention(*x, mask, causal=causal, tile=2), inputs
    )


@pytest.mark.parametrize("shape", ["q k", "b 1 q k", "1 h q k", "b h q k", "b 1 1 k", "1 1 q 1"])
def test_every_shape_of_mask(shape):
    sizes = {"b": 2, "h": 4, "q": 7, "k": 7, "1": 1}
    generator = torch.Generator().manual_seed(5)
    mask = torch.rand([sizes[axis] for axis in shape.split()], generator=generator) < 0.6
    inputs = drawn(g=2)
    ours = gradients(lambda *x: flash_attention(*x, mask, tile=3), inputs)
    theirs = gradients(lambda *x: scaled_dot_product_attention(*x, mask), inputs)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_a_query_that_sees_nothing_gets_zeros_and_no_gradient():
    inputs = drawn()
    mask = torch.ones(7, 7, dtype=torch.bool)
    mask[3] = False
    output, d_query, *_ = gradients(lambda *x: flash_attention(*x, mask, tile=2), inputs)
    assert output[:, :, 3].abs().max() == 0 and d_query[:, :, 3].abs().max() == 0
    assert output.isfinite().all() and d_query.isfinite().all()


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation made."""

    size = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.size = max(self.size, tensor.numel())
        return result


def largest(function, length):
    inputs = drawn(b=1, h=2, g=2, q=length, k=length, d=8, dtype=torch.float32)
    with Largest() as seen:
        function(*inputs).sum().backward()
    return seen.size


def test_no_tensor_grows_with_the_square_of_the_sequence():
    tiled = [largest(lambda *x: flash_attention(*x, causal=True, tile=16), n) for n in (256, 512)]
    assert tiled == [2 * 256 * 8, 2 * 512 * 8], "the inputs themselves are the largest"
    assert largest(scaled_dot_product_attention, 256) == 2 * 256 * 256, "the probe sees a matrix"


def test_what_is_kept_for_the_backward_pass_grows_with_the_sequence():
    kept = []
    inputs = drawn(b=1, h=2, g=2, q=128, k=128, d=8)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: kept.append(x.numel()) or x, lambda x: x
    ):
        flash_attention(*inputs, causal=True)
    assert sum(kept) == 4 * 2 * 128 * 8 + 2 * 128  # query, key, value, output, a number a query


def test_a_decoder_computes_the_same_with_it():
    config = DecoderConfig(
        vocab_size=11, context_length=16, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
    )
    tokens = torch.randint(0, 11, (2, 9), generator=torch.Generator().manual_seed(0))
    logits = Decoder(config, attend=flash_attention)(tokens)
    torch.testing.assert_close(logits, Decoder(config)(tokens), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"g": 3}, ShapeError, "key: expected heads that divide n_heads=4, got 3"),
        ({"q": 5, "causal": True}, ShapeError, "causal: expected as many queries as keys"),
        ({"tile": 0}, ValueError, "tile: expected a positive number"),
        ({"mask": torch.ones(7, 7)}, TypeError, "mask: expected bool"),
        ({"mask": torch.ones(2, 7, 7, dtype=torch.bool)}, ShapeError, "mask: expected axes"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, words):
    options = {name: change.pop(name) for name in ("mask", "causal", "tile") if name in change}
    with pytest.raises(error, match=words):
        flash_attention(*drawn(**change), **options)
