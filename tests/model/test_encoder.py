"""The encoder: everything is seen, padding is not, and order enters by positions alone."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.encoder import Encoder
from llm_course.model.introspection import attention_maps
from llm_course.model.masks import padding_mask

CONFIG = DecoderConfig(
    vocab_size=40, context_length=16, d_model=24, n_layers=2, n_heads=6, d_ff=24, position="none"
)
POSITIONS = ["rope", "learned", "sinusoidal", "t5", "alibi"]
OFFSETS = ["rope", "t5", "alibi"]


def lively(position: str = "none", **options) -> Encoder:
    model = Encoder(replace(CONFIG, position=position), **options).double()
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3, generator=generator)
    return model


def ids(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(1, 40, shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(7)), seed=st.integers(0, 1000))
def test_without_positions_a_permuted_text_gives_permuted_vectors(order, seed):
    model, tokens = lively(), ids(2, 7, seed=seed)
    torch.testing.assert_close(model(tokens[:, order]), model(tokens)[:, order], atol=1e-10, rtol=0)


@pytest.mark.parametrize("position", POSITIONS)
def test_with_positions_it_does_not(position):
    model, tokens = lively(position), ids(1, 7)
    order = [3, 0, 6, 2, 5, 1, 4]
    assert (model(tokens[:, order]) - model(tokens)[:, order]).abs().amax() > 1e-3


@pytest.mark.parametrize("position", POSITIONS)
def test_every_token_sees_every_other(position):
    model, tokens = lively(position), ids(1, 6)
    for changed in range(6):
        other = tokens.clone()
        other[:, changed] = other[:, changed] % 39 + 1
        moved = (model(other) - model(tokens)).abs().amax(-1)
        assert moved.min() > 1e-9, f"somebody does not see position {changed}"


@pytest.mark.parametrize("position", POSITIONS)
@settings(max_examples=10, deadline=None)
@given(n_padding=st.integers(1, 8), junk=st.integers(0, 1000))
def test_padding_changes_nothing(position, n_padding, junk):
    model, tokens = lively(position), ids(1, 6)
    mask = torch.cat([tokens, torch.zeros(1, n_padding, dtype=torch.long)], dim=1)
    padded = torch.cat([tokens, ids(1, n_padding, seed=junk)], dim=1)
    vectors = model(padded, mask=padding_mask(mask, pad_id=0))
    torch.testing.assert_close(vectors[:, :6], model(tokens), atol=1e-10, rtol=0)


@pytest.mark.parametrize("position", OFFSETS)
@settings(max_examples=10, deadline=None)
@given(shift=st.integers(0, 300))
def test_only_offsets_count(position, shift):
    model, tokens = lively(position), ids(1, 6)
    shifted = model(tokens, torch.arange(6) + shift)
    torch.testing.assert_close(shifted, model(tokens), atol=3e-4, rtol=0)  # fp32 angles


@pytest.mark.parametrize("position", ["learned", "sinusoidal"])
def test_absolute_positions_count(position):
    model, tokens = lively(position), ids(1, 6)
    assert (model(tokens, torch.arange(6) + 5) - model(tokens)).abs().max() > 0.1


@pytest.mark.parametrize("position", POSITIONS)
def test_fused_kernel_gives_the_same_vectors_and_gradients(position):
    results = []
    for options in ({}, {"attend": fused_attention}):
        model = lively(position, **options)
        vectors = model(ids(2, 8))
        vectors.square().sum().backward()
        results.append([vectors, *(weight.grad for weight in model.parameters())])
    for plain, fused in zip(*results, strict=True):
        torch.testing.assert_close(fused, plain, atol=1e-9, rtol=1e-8)


def test_its_maps_can_be_read():
    maps = attention_maps(lively("t5"), ids(2, 5))
    assert [tuple(weights.shape) for weights in maps] == [(2, 6, 5, 5)] * 2
    torch.testing.assert_close(maps[0].sum(-1), torch.ones(2, 6, 5).double(), atol=1e-10, rtol=0)
    assert (maps[0][..., 0, 1:] > 0).all(), "the first token sees those after it"


def test_a_window_and_a_float_mask_are_refused():
    with pytest.raises(ValueError) as caught:
        Encoder(replace(CONFIG, wiring=Wiring(window=3)))
    assert str(caught.value) == (
        "window: expected None in an encoder, got 3. Fix: leave it out, and pass a mask"
    )
    with pytest.raises(TypeError, match="mask: expected bool"):
        lively()(ids(1, 3), mask=torch.ones(3, 3))
