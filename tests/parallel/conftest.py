"""Worlds of two and four real processes, started once and asked by all tests of a session."""

from collections.abc import Callable, Iterator

import pytest

from llm_course.parallel.launcher import RankPool


@pytest.fixture(scope="session")
def new_pool() -> Iterator[Callable[[int], RankPool]]:
    """What gives a world of some size: the running one, or a new one if a test has broken it."""
    pools: dict[int, RankPool] = {}

    def get(n_ranks: int) -> RankPool:
        if n_ranks not in pools or not pools[n_ranks].is_open:
            pools[n_ranks] = RankPool(n_ranks, timeout=120.0)
        return pools[n_ranks]

    yield get
    for pool in pools.values():
        pool.close()


@pytest.fixture
def two_ranks(new_pool: Callable[[int], RankPool]) -> RankPool:
    return new_pool(2)


@pytest.fixture
def four_ranks(new_pool: Callable[[int], RankPool]) -> RankPool:
    return new_pool(4)
