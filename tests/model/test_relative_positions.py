"""T5's buckets against Transformers' at every distance, and the bias against its module."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import T5Config
from transformers.models.t5.modeling_t5 import T5Attention

from llm_course.model.relative_positions import relative_bias, relative_buckets
from llm_course.model.score_bias import distances

EVERY = torch.arange(-200, 201)
BOTH = pytest.mark.parametrize("bidirectional", [True, False])


@BOTH
@pytest.mark.parametrize(
    ("n_buckets", "max_distance"), [(32, 128), (32, 200), (8, 20), (64, 40), (6, 7), (4, 100)]
)
def test_buckets_equal_transformers_at_every_distance(bidirectional, n_buckets, max_distance):
    theirs = T5Attention._relative_position_bucket(EVERY, bidirectional, n_buckets, max_distance)
    ours = relative_buckets(EVERY, bidirectional, n_buckets, max_distance)
    assert torch.equal(ours, theirs)
    far = torch.arange(-5000, 5001)
    assert torch.equal(
        relative_buckets(far, bidirectional, n_buckets, max_distance),
        T5Attention._relative_position_bucket(far, bidirectional, n_buckets, max_distance),
    )


def test_a_decoder_sees_no_future_and_an_encoder_mirrors_it():
    assert relative_buckets(EVERY[201:], bidirectional=False).unique().tolist() == [0]
    past, future = (
        relative_buckets(side, bidirectional=True) for side in (-EVERY[201:], EVERY[201:])
    )
    assert torch.equal(future, past + 16)


@BOTH
def test_every_bucket_is_used_and_the_order_of_the_past_is_kept(bidirectional):
    buckets = relative_buckets(EVERY, bidirectional)
    # Distance +0 does not exist, so the future's first bucket stays empty.
    unused = {16} if bidirectional else set()
    assert set(range(32)) - set(buckets.tolist()) == unused
    past = relative_buckets(-torch.arange(200), bidirectional)
    assert (past.diff() >= 0).all()


@BOTH
def test_bias_equals_transformers_module(bidirectional):
    torch.manual_seed(0)
    config = T5Config(d_model=12, d_kv=4, num_heads=3, is_decoder=not bidirectional)
    theirs = T5Attention(config, has_relative_attention_bias=True, layer_idx=0)
    positions = torch.arange(150)
    buckets = relative_buckets(distances(positions, positions), bidirectional)
    ours = relative_bias(buckets, theirs.relative_attention_bias.weight)
    assert torch.equal(ours, theirs.compute_bias(150, 150))


@BOTH
@given(query=st.integers(0, 500), key=st.integers(0, 500), shift=st.integers(0, 500))
def test_depends_on_the_offset_only(bidirectional, query, key, shift):
    here = distances(torch.tensor([query]), torch.tensor([key]))
    there = distances(torch.tensor([query + shift]), torch.tensor([key + shift]))
    assert torch.equal(
        relative_buckets(here, bidirectional), relative_buckets(there, bidirectional)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((True, 5, 128), "n_buckets: expected an even number, 4 or more, got 5."),
        ((True, 2, 128), "n_buckets: expected an even number, 4 or more, got 2."),
        ((False, 1, 128), "n_buckets: expected 2 or more, got 1."),
        ((False, 32, 16),
         "max_distance: expected more than the 16 distances that have a bucket each, got 16."),
    ],
)  # fmt: skip
def test_numbers_that_make_no_buckets_are_refused(options, message):
    with pytest.raises(ValueError) as caught:
        relative_buckets(EVERY, *options)
    assert str(caught.value) == message
