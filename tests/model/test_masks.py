"""Masks: polarity, alignment, and what is refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.model.masks import (
    causal_mask,
    check_mask,
    padding_mask,
    prefix_mask,
    sliding_window_mask,
)
from llm_course.shapes import ShapeError


@given(st.integers(0, 12), st.integers(0, 12))
def test_causal_mask_against_the_definition(n_queries, n_cached):
    n_keys = n_queries + n_cached
    mask = causal_mask(n_queries, n_keys)
    expected = [[key <= query + n_cached for key in range(n_keys)] for query in range(n_queries)]
    assert mask.dtype == torch.bool
    assert mask.shape == (n_queries, n_keys)
    assert mask.tolist() == expected


def test_causal_mask_of_later_queries_is_the_end_of_the_whole_mask():
    assert torch.equal(causal_mask(2, 7), causal_mask(7)[-2:])


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((-1,), "n_queries: expected 0 or more, got -1."),
        ((3, 2), "n_keys: expected at least n_queries=3, got 2."),
    ],
)
def test_causal_mask_refuses(sizes, message):
    with pytest.raises(ValueError) as caught:
        causal_mask(*sizes)
    assert str(caught.value) == message


def test_padding_on_either_side_is_hidden_and_nothing_else():
    mask = padding_mask(torch.tensor([[9, 4, 2, 2], [2, 2, 7, 1], [2, 2, 2, 2]]), pad_id=2)
    assert mask.dtype == torch.bool
    assert mask.shape == (3, 1, 1, 4)
    assert mask[:, 0, 0].int().tolist() == [[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]


def test_padding_mask_refuses_a_single_sequence():
    with pytest.raises(ShapeError) as caught:
        padding_mask(torch.tensor([1, 2]), pad_id=0)
    assert str(caught.value) == "tokens: expected 2 axes (b k), got shape (2,)."


def test_masks_combine_by_and():
    tokens = torch.tensor([[5, 6, 0], [5, 0, 0]])
    both = causal_mask(3) & padding_mask(tokens, pad_id=0)
    check_mask(both, b=2, h=4, q=3, k=3)
    assert both[:, 0].int().tolist() == [
        [[1, 0, 0], [1, 1, 0], [1, 1, 0]],
        [[1, 0, 0], [1, 0, 0], [1, 0, 0]],
    ]


def test_masks_are_made_where_they_are_needed():
    assert causal_mask(3, device="meta").device.type == "meta"
    tokens = torch.zeros(1, 3, dtype=torch.long, device="meta")
    assert padding_mask(tokens, pad_id=0).device.type == "meta"


@pytest.mark.parametrize(
    "shape",
    [(3, 5), (1, 5), (3, 1), (1, 1), (2, 4, 3, 5), (2, 1, 3, 5), (1, 4, 1, 5), (2, 1, 1, 5)],
)
def test_masks_that_broadcast_are_taken(shape):
    check_mask(torch.ones(shape, dtype=torch.bool), b=2, h=4, q=3, k=5)


@pytest.mark.parametrize(
    "shape", [(), (5,), (5, 3), (3, 4), (2, 3, 5), (4, 3, 5), (1, 3, 5), (4, 2, 3, 5), (3, 1, 3, 5)]
)
def test_masks_that_would_be_misread_are_refused(shape):
    with pytest.raises(ShapeError) as caught:
        check_mask(torch.ones(shape, dtype=torch.bool), b=2, h=4, q=3, k=5)
    assert str(caught.value) == (
        "mask: expected axes q k or b h q k that broadcast to (2, 4, 3, 5), "
        f'got shape {shape}. Fix: for one mask a sequence, rearrange(mask, "b q k -> b 1 q k").'
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.uint8])
def test_anything_but_bool_is_refused_with_both_polarities_explained(dtype):
    with pytest.raises(TypeError) as caught:
        check_mask(torch.ones(3, 3, dtype=dtype), b=1, h=1, q=3, k=3)
    assert str(caught.value) == (
        f"mask: expected bool (True = may attend), got {dtype}. "
        "Fix: for 1 = may attend use mask.bool(), for 1 = hidden use ~mask.bool(), "
        "for scores to add (0 and -inf) use mask == 0."
    )


@given(st.integers(1, 9), st.lists(st.integers(0, 9), min_size=1, max_size=3))
def test_prefix_mask_against_the_definition(n_tokens, lengths):
    lengths = [min(length, n_tokens) for length in lengths]
    mask = prefix_mask(n_tokens, torch.tensor(lengths))
    expected = [
        [[[key < length or key <= query for key in range(n_tokens)] for query in range(n_tokens)]]
        for length in lengths
    ]
    assert mask.dtype == torch.bool
    assert mask.tolist() == expected


def test_prefix_mask_between_its_two_ends():
    ends = prefix_mask(5, torch.tensor([0, 1, 5]))[:, 0]
    assert torch.equal(ends[0], causal_mask(5))
    assert torch.equal(ends[1], causal_mask(5)), "one token has nobody else in its prefix"
    assert ends[2].all(), "a prefix of everything is an encoder"


@pytest.mark.parametrize(
    ("lengths", "kind", "message"),
    [
        (torch.tensor([2, 6]), ValueError,
         "prefix_lengths: expected values from 0 to n_tokens=5, got 2 to 6."),
        (torch.tensor([-1]), ValueError,
         "prefix_lengths: expected values from 0 to n_tokens=5, got -1 to -1."),
        (torch.tensor([[2]]), ShapeError,
         "prefix_lengths: expected 1 axes (b), got shape (1, 1)."),
        (torch.tensor([2.0]), TypeError,
         "prefix_lengths: expected integers, got torch.float32."),
    ],
)  # fmt: skip
def test_prefix_mask_refuses(lengths, kind, message):
    with pytest.raises(kind) as caught:
        prefix_mask(5, lengths)
    assert str(caught.value) == message


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 12))
def test_sliding_window_against_the_definition(n_queries, n_cached, window):
    n_keys = n_queries + n_cached
    mask = sliding_window_mask(n_queries, window, n_keys)
    expected = [
        [query + n_cached - window < key <= query + n_cached for key in range(n_keys)]
        for query in range(n_queries)
    ]
    assert mask.dtype == torch.bool
    assert mask.shape == (n_queries, n_keys)
    assert mask.tolist() == expected


def test_a_window_as_long_as_the_text_is_causal_and_one_sees_itself_only():
    assert torch.equal(sliding_window_mask(6, 6), causal_mask(6))
    assert torch.equal(sliding_window_mask(6, 1), torch.eye(6, dtype=torch.bool))


def test_sliding_window_is_mistrals():
    from transformers import MistralConfig
    from transformers.masking_utils import create_sliding_window_causal_mask

    config = MistralConfig(sliding_window=3, attn_implementation="eager")
    positions = torch.arange(7)[None]
    theirs = create_sliding_window_causal_mask(
        config, torch.zeros(1, 7, 4), attention_mask=None, past_key_values=None,
        position_ids=positions,
    )  # fmt: skip
    assert torch.equal(theirs[0, 0] == 0, sliding_window_mask(7, 3))


@pytest.mark.parametrize("window", [0, -2])
def test_an_empty_window_is_refused(window):
    with pytest.raises(ValueError) as caught:
        sliding_window_mask(3, window)
    assert str(caught.value) == f"window: expected 1 or more, got {window}."
