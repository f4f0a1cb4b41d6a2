"""Packed documents behave as if each stood alone: mask, positions, targets, and the loss."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.packing.document_mask import (
    PADDING,
    document_mask,
    document_targets,
    documents_of,
    mask_and_positions,
    restarting_positions,
)
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.shapes import ShapeError

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def numbered(lengths, padding=0):
    """One row: the documents 0, 1, 2, ... of these lengths, then padding."""
    documents = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    return F.pad(documents, (0, padding), value=PADDING)[None]


@settings(deadline=None)
@given(LENGTHS, st.integers(0, 3))
def test_the_mask_never_crosses_documents(lengths, padding):
    documents = numbered(lengths, padding)[0].tolist()
    mask = document_mask(numbered(lengths, padding))[0, 0]
    for q, of_query in enumerate(documents):
        for k, of_key in enumerate(documents):
            assert mask[q, k].item() == (k <= q and of_query == of_key)


@settings(deadline=None)
@given(LENGTHS, st.integers(0, 3))
def test_mask_and_positions_are_those_of_each_document_alone(lengths, padding):
    mask, positions = mask_and_positions(numbered(lengths, padding))
    parts = [torch.ones(n, n).tril() for n in (*lengths, padding)]
    assert torch.equal(mask[0, 0].float(), torch.block_diag(*parts)[: mask.shape[-1]])
    assert positions[0].tolist() == [i for n in (*lengths, padding) for i in range(n)]


@settings(deadline=None)
@given(LENGTHS)
def test_ends_tell_the_documents(lengths):
    documents = numbered(lengths)
    tokens = torch.full_like(documents, 7)
    tokens[0, torch.tensor(lengths).cumsum(0) - 1] = 3
    assert torch.equal(documents_of(tokens, end=3), documents)


@settings(deadline=None)
@given(LENGTHS)
def test_positions_count_in_each_document(lengths):
    wanted = [place for length in lengths for place in range(length)]
    assert restarting_positions(numbered(lengths))[0].tolist() == wanted


@settings(deadline=None)
@given(LENGTHS)
def test_targets_stay_in_their_document(lengths):
    documents = numbered(lengths, padding=1)
    tokens = torch.arange(100, 100 + documents.shape[1])[None]
    found = document_targets(tokens, documents)[0].tolist()
    wanted = []
    for length in lengths:
        start = 100 + len(wanted)
        wanted += [*range(start + 1, start + length), -100]
    assert found == wanted


@pytest.mark.parametrize("position", ["rope", "learned", "alibi", "sinusoidal"])
def test_the_packed_loss_equals_the_unpacked(position):
    config = DecoderConfig(
        vocab_size=17, context_length=16, d_model=16, n_layers=2, n_heads=2, d_ff=24,
        position=position,
    )  # fmt: skip
    model = Decoder(config).double()
    generator = torch.Generator().manual_seed(0)
    lengths = [5, 1, 7, 2]
    tokens = torch.randint(0, 17, (1, sum(lengths) + 1), generator=generator)
    documents = numbered(lengths, padding=1)
    inputs, owners = tokens[:, :-1], documents[:, :-1]
    logits = model(inputs, restarting_positions(owners), document_mask(owners))
    targets = document_targets(tokens, documents)
    packed = F.cross_entropy(logits[0], targets[0], reduction="sum")
    packed.backward()
    gradients = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    alone = torch.zeros((), dtype=torch.float64)
    for document in inputs[0].split(lengths):
        if len(document) > 1:
            own = model(document[None])[0, :-1]
            alone = alone + F.cross_entropy(own, document[1:], reduction="sum")
    alone.backward()
    assert abs(packed.item() - alone.item()) < 1e-10
    for packed_gradient, weight in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(packed_gradient, weight.grad, atol=1e-10, rtol=0)
    # The plain causal mask, or positions that run on, give another loss: the test can tell.
    leaking = model(inputs, restarting_positions(owners))
    assert abs(F.cross_entropy(leaking[0], targets[0], reduction="sum") - alone) > 1e-6


@settings(deadline=None, max_examples=20)
@given(LENGTHS, st.integers(0, 99))
def test_what_a_document_says_changes_no_other(lengths, seed):
    config = DecoderConfig(
        vocab_size=9, context_length=32, d_model=8, n_layers=2, n_heads=2, d_ff=8
    )
    model, documents = Decoder(config).double(), numbered(lengths)
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(0, 9, documents.shape, generator=generator)
    chosen = documents == int(documents.max()) // 2
    other = tokens.where(~chosen, (tokens + 1) % 9)
    inputs = restarting_positions(documents), document_mask(documents)
    with torch.no_grad():
        before, after = model(tokens, *inputs), model(other, *inputs)
    assert torch.equal(before[~chosen], after[~chosen])
    assert not torch.equal(before[chosen], after[chosen])


def test_errors():
    for function in (document_mask, restarting_positions):
        with pytest.raises(ShapeError, match="documents: expected 2 axes"):
            function(torch.zeros(3, dtype=torch.int64))
        with pytest.raises(TypeError, match="documents: expected integers, got torch.float32"):
            function(torch.zeros(1, 3))
    with pytest.raises(ShapeError, match="tokens: expected t=3, got 4"):
        document_targets(torch.zeros(1, 4, dtype=torch.int64), numbered([3]))
