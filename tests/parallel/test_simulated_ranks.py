import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.parallel.simulated_ranks import (
    broadcast_rounds,
    ring_all_gather,
    ring_all_reduce,
    ring_reduce_scatter,
)
from llm_course.shapes import ShapeError


def values_of(n_ranks, size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(size, generator=generator, dtype=torch.float64) for _ in range(n_ranks)]


@settings(max_examples=40, deadline=None)
@given(n_ranks=st.integers(1, 7), size=st.integers(0, 23), seed=st.integers(0, 99))
def test_all_reduce_is_the_sum_and_changes_no_input(n_ranks, size, seed):
    values = values_of(n_ranks, size, seed)
    before = [value.clone() for value in values]
    total = torch.stack(values).sum(dim=0)
    results = ring_all_reduce(values)
    assert len(results) == n_ranks
    for result in results:
        torch.testing.assert_close(result, total, rtol=0, atol=1e-12)
        assert torch.equal(result, results[0]), "every rank has the same bits"
    assert all(map(torch.equal, before, values))


@settings(max_examples=40, deadline=None)
@given(n_ranks=st.integers(1, 7), size=st.integers(0, 23))
def test_reduce_scatter_gives_rank_r_chunk_r(n_ranks, size):
    values = values_of(n_ranks, size)
    wanted = torch.stack(values).sum(dim=0).tensor_split(n_ranks)
    for result, chunk in zip(ring_reduce_scatter(values), wanted, strict=True):
        torch.testing.assert_close(result, chunk, rtol=0, atol=1e-12)


@pytest.mark.parametrize("lengths", [[2], [1, 3], [2, 2, 2], [0, 5, 1, 2]])
def test_all_gather_keeps_the_order_of_the_ranks(lengths):
    chunks = [torch.full((length,), float(rank)) for rank, length in enumerate(lengths)]
    results = ring_all_gather(chunks)
    assert len(results) == len(lengths)
    assert all(torch.equal(result, torch.cat(chunks)) for result in results)


def test_a_matrix_keeps_its_shape():
    values = [torch.ones(3, 5), 2 * torch.ones(3, 5)]
    assert torch.equal(ring_all_reduce(values)[1], 3 * torch.ones(3, 5))


@given(n_ranks=st.integers(1, 33), data=st.data())
def test_a_broadcast_reaches_everybody_once_and_only_those_who_know_tell(n_ranks, data):
    source = data.draw(st.integers(0, n_ranks - 1))
    know, rounds = {source}, broadcast_rounds(n_ranks, source)
    for pairs in rounds:
        senders, receivers = {s for s, _ in pairs}, {r for _, r in pairs}
        assert senders <= know and not receivers & know
        assert len(senders) == len(receivers) == len(pairs), "one message a rank and round"
        know |= receivers
    assert know == set(range(n_ranks))
    assert len(rounds) == (n_ranks - 1).bit_length(), "ceil(log2 n)"


def test_errors():
    with pytest.raises(ShapeError, match=r"shape \(2,\) on every rank, got \(3,\) on rank 1"):
        ring_all_reduce([torch.zeros(2), torch.zeros(3)])
    with pytest.raises(ValueError, match="values: expected one for each rank, got none"):
        ring_all_gather([])
    with pytest.raises(ValueError, match="source: expected a rank from 0 to 1, got 2"):
        broadcast_rounds(2, source=2)
