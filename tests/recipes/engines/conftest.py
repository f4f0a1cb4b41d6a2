"""Two real processes, started once, and the run of one process that all others must equal."""

import pytest

from llm_course.parallel.launcher import RankPool
from tests.recipes.engines.runs import train_as


@pytest.fixture(scope="session")
def new_pool():
    """What gives two running processes, new ones if a test has broken them."""
    pools = []

    def get():
        if not pools or not pools[-1].is_open:
            pools.append(RankPool(2, timeout=60.0))
        return pools[-1]

    yield get
    for pool in pools:
        pool.close()


@pytest.fixture
def two_ranks(new_pool):
    return new_pool()


@pytest.fixture(scope="session")
def one_process(tmp_path_factory):
    """The folder of a run on one process, in fp64."""
    folder = tmp_path_factory.mktemp("one")
    train_as("single", folder)
    return folder


@pytest.fixture(scope="session")
def runs(one_process, new_pool, tmp_path_factory):
    """What gives the folder of the same run by a strategy, made once."""
    made = {"single": one_process}

    def get(strategy):
        if strategy not in made:
            made[strategy] = tmp_path_factory.mktemp(strategy)
            new_pool().run(train_as, strategy, str(made[strategy]))
        return made[strategy]

    return get
