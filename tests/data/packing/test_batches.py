"""Packed batches: every token once and in order, resumable at any token, and the loss unchanged."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_course.data.packing.batches import packed_batches
from llm_course.data.packing.document_mask import PADDING
from llm_course.data.packing.token_stream import TokenStream
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.loss import IGNORE

DOCUMENTS = st.lists(st.integers(0, 99), min_size=1, max_size=9)
SHARDS = st.lists(st.lists(DOCUMENTS, max_size=4), min_size=1, max_size=3)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SIZES = st.integers(1, 6), st.integers(1, 3)


def flat(shards):
    return [token for shard in shards for document in shard for token in document]


def read(batches):
    """The tokens of batches in order, padding left out."""
    return [
        token for batch in batches for token in batch.tokens[batch.documents != PADDING].tolist()
    ]


@QUIET
@given(SHARDS, *SIZES)
def test_every_token_comes_out_once_and_in_order(stream_folder, shards, context, rows):
    batches = list(packed_batches(TokenStream(stream_folder(shards)), context, rows))
    assert read(batches) == flat(shards)
    assert all(batch.tokens.shape == (rows, context) for batch in batches)
    assert not batches or batches[-1].position == len(flat(shards))


@QUIET
@given(SHARDS, *SIZES)
def test_every_successor_within_a_document_is_a_target_once(stream_folder, shards, context, rows):
    batches = list(packed_batches(TokenStream(stream_folder(shards)), context, rows))
    found = [t for batch in batches for t in batch.targets.flatten().tolist() if t != IGNORE]
    assert found == [token for shard in shards for document in shard for token in document[1:]]


@QUIET
@given(SHARDS, *SIZES, st.data())
def test_it_goes_on_at_any_token(stream_folder, shards, context, rows, data):
    folder = stream_folder(shards)
    position = data.draw(st.integers(0, len(flat(shards))))
    batches = list(packed_batches(TokenStream(folder), context, rows, position))
    assert read(batches) == flat(shards)[position:]
    whole = list(packed_batches(TokenStream(folder), context, rows))
    for number, batch in enumerate(whole):
        rest = list(packed_batches(TokenStream(folder), context, rows, batch.position))
        assert len(rest) == len(whole) - number - 1
        for resumed, wanted in zip(rest, whole[number + 1 :], strict=True):
            assert torch.equal(resumed.tokens, wanted.tokens)
            assert torch.equal(resumed.targets, wanted.targets)
            assert torch.equal(resumed.documents, wanted.documents)
            assert resumed.position == wanted.position


@QUIET
@given(SHARDS, *SIZES)
def test_the_mask_never_crosses_documents(stream_folder, shards, context, rows):
    for batch in packed_batches(TokenStream(stream_folder(shards)), context, rows):
        owners = batch.documents
        pairs = batch.mask[:, 0] & (owners[:, :, None] != owners[:, None, :])
        assert not pairs.any()
        assert batch.mask[:, 0].diagonal(dim1=1, dim2=2).all()


def test_the_loss_is_that_of_the_documents_one_by_one(stream_folder):
    generator = torch.Generator().manual_seed(1)
    documents = [
        torch.randint(0, 100, (length,), generator=generator).tolist()
        for length in (3, 8, 1, 4, 8, 5, 2, 1)
    ]
    # Rows of 8 cut some documents: each part stands alone, but is asked for its next token.
    batches = list(packed_batches(TokenStream(stream_folder([documents])), 8, 2))
    config = DecoderConfig(
        vocab_size=100, context_length=8, d_model=16, n_layers=2, n_heads=2, d_ff=16
    )
    model, packed, n_targets = Decoder(config).double(), 0.0, 0
    with torch.no_grad():
        for batch in batches:
            logits = model(batch.tokens, batch.positions, batch.mask)
            packed += F.cross_entropy(
                logits.flatten(0, 1), batch.targets.flatten(), reduction="sum", ignore_index=IGNORE
            ).item()
            n_targets += int((batch.targets != IGNORE).sum())
        alone, place = 0.0, 0
        for document in documents:
            rest = list(document)
            while rest:
                room = 8 - place % 8
                part, following = rest[:room], rest[room : room + 1]
                targets = part[1:] + following
                place, rest = place + len(part), rest[room:]
                if targets:
                    logits = model(torch.tensor([part]))[0, : len(targets)]
                    wanted = torch.tensor(targets)
                    alone += F.cross_entropy(logits, wanted, reduction="sum").item()
    assert n_targets == sum(len(document) - 1 for document in documents)
    assert abs(packed - alone) < 1e-10


def test_an_empty_stream_has_no_batch(stream_folder):
    assert list(packed_batches(TokenStream(stream_folder([[]])), 4, 1)) == []


@pytest.mark.parametrize("arguments", [(0, 1), (4, 0), (4, 1, -1), (4, 1, 4)])
def test_numbers_out_of_range(stream_folder, arguments):
    with pytest.raises(ValueError, match="expected"):
        packed_batches(TokenStream(stream_folder([[[1, 2, 3]]])), *arguments)
