"""Waste counted by hand, and against a real cache that grows as the requests do."""

import pytest
import torch

from llm_course.decoding.cache_use import Request, cache_use, random_requests, utilisation
from llm_course.decoding.paged_cache import PagedCache


def test_waste_by_hand():
    # Step 0: 3 tokens. Step 1: 4 and a prompt of 5. Step 2: 6, the first is gone. Step 3: 7.
    requests = [
        Request(arrival=0, n_prompt=3, n_generated=1),
        Request(arrival=1, n_prompt=5, n_generated=2),
    ]
    steps = cache_use(requests, max_length=10, block_size=4)
    assert [step.used for step in steps] == [3, 9, 6, 7]
    assert [step.contiguous for step in steps] == [10, 20, 10, 10]
    assert [step.paged for step in steps] == [4, 12, 8, 8]
    assert [step.contiguous_waste for step in steps] == [7, 11, 4, 3]
    assert [step.paged_waste for step in steps] == [1, 3, 2, 1]
    assert utilisation(steps) == (25 / 50, 25 / 32)


def test_a_pause_between_requests_holds_nothing():
    requests = [Request(arrival=a, n_prompt=2, n_generated=0) for a in (0, 2)]
    steps = cache_use(requests, max_length=4, block_size=2)
    assert [(s.step, s.used, s.contiguous, s.paged) for s in steps] == [
        (0, 2, 4, 2), (1, 0, 0, 0), (2, 2, 4, 2),
    ]  # fmt: skip
    assert cache_use([], max_length=4, block_size=2) == []
    assert utilisation([]) == (0.0, 0.0)


def stream(n_requests: int) -> list[Request]:
    generator = torch.Generator().manual_seed(0)
    return random_requests(
        n_requests, mean_gap=2.0, mean_prompt=6.0, mean_generated=9.0, max_length=32,
        generator=generator,
    )  # fmt: skip


def test_the_count_of_blocks_is_that_of_a_real_cache():
    requests, sequences = stream(12), {}
    cache = PagedCache(1, 1, 1, n_blocks=200, block_size=4)
    for step in cache_use(requests, max_length=32, block_size=4):
        for i, request in enumerate(requests):
            if request.arrival == step.step:
                sequences[i] = cache.start()
            if i in sequences:
                length = request.length_at(step.step)
                if length == 0:
                    cache.release(sequences.pop(i))
                else:
                    cache.extend(sequences[i], length - cache.length(sequences[i]))
        assert step.paged == 4 * (cache.pool.n_blocks - cache.pool.n_free)
        assert step.used == sum(map(cache.length, cache.sequences))


def test_paged_wastes_less_than_a_block_for_each_sequence():
    requests = stream(60)
    for step in cache_use(requests, max_length=32, block_size=8):
        n_sequences = step.contiguous // 32
        assert step.paged_waste <= 7 * n_sequences
        assert step.contiguous >= step.paged >= step.used
    contiguous, paged = utilisation(cache_use(requests, max_length=32, block_size=1))
    assert paged == 1.0 and contiguous < 0.6


def test_the_stream_has_the_means_that_were_asked_for():
    generator = torch.Generator().manual_seed(0)
    requests = random_requests(
        4000, mean_gap=3.0, mean_prompt=20.0, mean_generated=50.0, max_length=10_000,
        generator=generator,
    )  # fmt: skip
    # The mean of 4,000 exponentials is within 5 % with three standard errors; ceil adds a half.
    assert requests[-1].arrival / 4000 == pytest.approx(3.0, rel=0.05)
    assert sum(r.n_prompt for r in requests) / 4000 == pytest.approx(20.5, rel=0.05)
    assert sum(r.n_generated for r in requests) / 4000 == pytest.approx(50.5, rel=0.05)
    assert [r.arrival for r in requests] == sorted(r.arrival for r in requests)
    assert all(r.n_prompt + r.n_generated <= 32 and r.n_prompt >= 1 for r in stream(500))


def test_a_request_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="requests: expected at most max_length=8 tokens, got 9"):
        cache_use([Request(arrival=0, n_prompt=4, n_generated=5)], max_length=8, block_size=4)
