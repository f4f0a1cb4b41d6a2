"""Rows and their order: every row once an epoch, and the same from any batch on."""

from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.packing.token_files import write_index, write_shard
from llm_course.data.packing.token_stream import TokenStream
from llm_course.errors import CourseError
from llm_course.recipes.train.rows import Rows, batch_rows, held_out_batches, shuffled_batches


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """The tokens 0 to 49, in documents of 5."""
    folder = tmp_path_factory.mktemp("tokens")
    documents = [list(range(start, start + 5)) for start in range(0, 50, 5)]
    write_index(folder, [write_shard(folder, "a", documents, 50)], vocab_size=50)
    return TokenStream(folder)


def firsts(batches, n):
    """The first token of every row of n batches; rows begin at 4 i, so it names the row."""
    return [row[0].item() // 4 for tokens, _ in islice(batches, n) for row in tokens]


def test_targets_are_the_tokens_that_follow(stream):
    tokens, targets = Rows(stream, 4).batch([2, 0])
    assert tokens.tolist() == [[8, 9, 10, 11], [0, 1, 2, 3]]
    assert torch.equal(targets, tokens + 1)


@pytest.mark.parametrize(("length", "expected"), [(4, 12), (7, 7), (49, 1)])
def test_a_row_needs_the_token_after_it(stream, length, expected):
    assert len(Rows(stream, length)) == expected
    tokens, targets = Rows(stream, length).batch([expected - 1])
    assert targets[0, -1] == expected * length <= 49


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 13), st.integers(0, 30), st.integers(0, 5))
def test_it_goes_on_from_any_batch(stream, batch_size, first, seed):
    rows = Rows(stream, 4)
    straight = list(islice(shuffled_batches(rows, batch_size, seed), first + 3))[first:]
    resumed = list(islice(shuffled_batches(rows, batch_size, seed, first), 3))
    for one, other in zip(straight, resumed, strict=True):
        assert all(map(torch.equal, one, other))


def test_an_epoch_is_every_row_once_and_each_epoch_another_order(stream):
    rows = Rows(stream, 4)
    read = firsts(shuffled_batches(rows, 5, seed=1), 12)
    epochs = [read[start : start + 12] for start in range(0, 60, 12)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert len(set(map(tuple, epochs))) == 5
    assert firsts(shuffled_batches(rows, 5, seed=2), 12) != read


def test_held_out_rows_come_once_and_in_order(stream):
    batches = list(held_out_batches(Rows(stream, 4, start=20), 3))
    assert [len(tokens) for tokens, _ in batches] == [3, 3, 1]
    assert torch.cat([tokens for tokens, _ in batches]).flatten().tolist() == list(range(20, 48))


def test_parts_do_not_meet(stream):
    train, held_out = Rows(stream, 4, 0, 30), Rows(stream, 4, 30)
    last = train.batch([len(train) - 1])[1]
    assert last.max() < 30 <= held_out.batch([0])[0].min()
    assert (train.n_tokens, held_out.n_tokens) == (28, 16)


def test_too_few_tokens_are_refused(stream):
    with pytest.raises(CourseError, match="expected more than 50 tokens, one row, got 50"):
        Rows(stream, 50)
    with pytest.raises(CourseError, match="expected more than 4 tokens, one row, got 0"):
        Rows(stream, 4, 0, -5)


@pytest.mark.parametrize("numbers", [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_an_order_of_nothing_is_refused(numbers):
    n_rows, batch_size, batch = numbers
    with pytest.raises(ValueError, match="n_rows, batch_size, batch: expected at least 1, 1 and 0"):
        batch_rows(n_rows, batch_size, 0, batch)
