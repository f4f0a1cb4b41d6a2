"""Encoder-decoder: what sees what, what is shared, what is refused. Parity is in its own file."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.deep_norm import deep_norm_decoder, deep_norm_encoder
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.model.masks import padding_mask
from llm_course.shapes import ShapeError

STACK = DecoderConfig(
    vocab_size=40, context_length=16, d_model=16, n_layers=2, n_heads=4, d_ff=24,
    norm="layer_norm", feed_forward="relu", position="sinusoidal", bias=True,
    wiring=Wiring(placement="post", embedding_scale=4.0),
)  # fmt: skip
T5 = replace(
    STACK, norm="rms_norm", position="t5", bias=False,
    wiring=Wiring(scale_scores=False, output_scale=0.25),
)  # fmt: skip
FAMILIES = pytest.mark.parametrize("stack", [STACK, T5], ids=["vanilla", "t5"])


def lively(stack: DecoderConfig) -> EncoderDecoder:
    model = EncoderDecoder(EncoderDecoderConfig(encoder=stack, decoder=stack)).double()
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3, generator=generator)
    return model


def ids(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(1, 40, shape, generator=torch.Generator().manual_seed(seed))


@FAMILIES
@settings(max_examples=15, deadline=None)
@given(position=st.integers(1, 6), seed=st.integers(0, 1000))
def test_the_targets_future_is_hidden_and_the_whole_source_is_seen(stack, position, seed):
    model, source, target = lively(stack), ids(1, 8), ids(1, 7, seed=seed)
    changed = target.clone()
    changed[:, position:] = changed[:, position:] % 39 + 1
    before, after = model(source, target), model(source, changed)
    assert torch.equal(before[:, :position], after[:, :position]), "the future was seen"
    assert (before - after)[:, position:].abs().amax(-1).min() > 1e-9, "the past was not seen"
    elsewhere = source.clone()
    elsewhere[:, -1] = elsewhere[:, -1] % 39 + 1
    moved = (model(elsewhere, target) - before).abs().amax(-1)
    assert moved.min() > 1e-9, "every target position reads the end of the source"


@FAMILIES
def test_padding_of_the_source_changes_nothing(stack):
    model, source, target = lively(stack), ids(1, 6), ids(1, 5)
    padded = torch.cat([source, torch.zeros(1, 3, dtype=torch.long)], dim=1)
    logits = model(padded, target, padding_mask(padded, pad_id=0))
    torch.testing.assert_close(logits, model(source, target), atol=1e-10, rtol=0)
    unmasked = model(padded, target)
    assert (unmasked - logits).abs().max() > 1e-3, "without its mask, padding is read"


@FAMILIES
def test_the_memory_is_made_once(stack):
    model, source, target = lively(stack), ids(2, 6), ids(2, 5)
    memory = model.encode(source)
    for length in (1, 3, 5):
        step = model.decoder(target[:, :length], memory=memory)
        expected = model(source, target)[:, :length]
        torch.testing.assert_close(step, expected, atol=1e-10, rtol=0)


def test_the_embedding_is_one_matrix_and_counted_once():
    shared = EncoderDecoder(EncoderDecoderConfig(encoder=STACK, decoder=STACK))
    apart = EncoderDecoder(
        EncoderDecoderConfig(encoder=STACK, decoder=STACK, share_embeddings=False)
    )
    assert shared.decoder.embedding.weight is shared.encoder.embedding.weight
    assert apart.n_parameters - shared.n_parameters == 40 * 16
    assert shared.state_dict().keys() == apart.state_dict().keys()


def test_encoder_and_decoder_start_from_different_numbers():
    model = EncoderDecoder(EncoderDecoderConfig(encoder=STACK, decoder=STACK))
    first = [stack.blocks[0].attention.query.weight for stack in (model.encoder, model.decoder)]
    assert not torch.equal(*first)
    again = EncoderDecoder(model.config)
    assert all(
        torch.equal(one, other)
        for one, other in zip(model.parameters(), again.parameters(), strict=True)
    )


def test_deep_norm_has_the_constants_of_each_side():
    deep = replace(STACK, wiring=Wiring(placement="deep_norm"))
    config = EncoderDecoderConfig(encoder=replace(deep, n_layers=6), decoder=deep)
    model = EncoderDecoder(config)
    assert model.encoder.deep_norm == deep_norm_encoder(6, 2)
    assert model.decoder.deep_norm == deep_norm_decoder(2)
    assert {block.alpha for block in model.encoder.blocks} == {deep_norm_encoder(6, 2).alpha}
    assert {block.alpha for block in model.decoder.blocks} == {deep_norm_decoder(2).alpha}


def test_made_on_the_meta_device():
    with torch.device("meta"):
        model = EncoderDecoder(EncoderDecoderConfig(encoder=T5, decoder=T5))
    tokens = torch.zeros(2, 5, dtype=torch.long, device="meta")
    assert model(tokens, tokens).shape == (2, 5, 40)


@pytest.mark.parametrize(
    ("mask", "kind", "message"),
    [
        (torch.ones(2, 1, 1, 6), TypeError, "mask: expected bool"),
        (torch.ones(6, 6) > 0, ShapeError, "source_mask: expected 4 axes"),
        (torch.ones(2, 1, 6, 6) > 0, ShapeError, "source_mask: expected q=1, got 6"),
    ],
)
def test_a_source_mask_that_would_be_misread_is_refused(mask, kind, message):
    with pytest.raises(kind, match=message):
        lively(STACK)(ids(2, 6), ids(2, 5), mask)
