"""The pool of blocks: what is counted, what is refused, and gathering by a table."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.decoding.blocks import BlockPool, OutOfBlocks, cache_bytes, gather_blocks
from llm_course.decoding.kv_cache import KVCache
from llm_course.decoding.paged_cache import PagedCache


def state(pool: BlockPool) -> tuple:
    return pool.n_free, [pool.references(block) for block in range(pool.n_blocks)]


def test_blocks_are_handed_out_once_and_come_back():
    pool = BlockPool(4)
    first, second = pool.allocate(3), pool.allocate(1)
    assert sorted(first + second) == [0, 1, 2, 3], "a block was handed out twice"
    pool.release(first)
    assert state(pool) == (3, [int(block in second) for block in range(4)])
    assert sorted(pool.allocate(3)) == sorted(first)


def test_a_shared_block_is_freed_by_its_last_holder():
    pool = BlockPool(2)
    [block] = pool.allocate(1)
    pool.share([block])
    pool.share([block])
    for left in (2, 1, 0):
        pool.release([block])
        assert pool.references(block) == left
        assert pool.n_free == (2 if left == 0 else 1)


def test_out_of_blocks_says_how_many_and_takes_none():
    pool = BlockPool(3)
    pool.allocate(1)
    before = state(pool)
    with pytest.raises(OutOfBlocks) as caught:
        pool.allocate(3)
    assert (caught.value.asked, caught.value.free, caught.value.n_blocks) == (3, 2, 3)
    assert "blocks: expected 3 free, got 2 of 3. Fix: release a sequence" in str(caught.value)
    assert state(pool) == before


@pytest.mark.parametrize("blocks", [[1, 1], [1, 2], [1, 7], [1, -3]])
def test_a_block_is_not_released_more_often_than_it_is_held(blocks):
    pool = BlockPool(4)
    pool.allocate(2)
    before = state(pool)
    with pytest.raises(ValueError, match=r"block -?\d: expected at least . holders, got ."):
        pool.release(blocks)
    assert state(pool) == before, "a refused release must change nothing"


def test_a_free_block_is_not_shared():
    pool = BlockPool(4)
    pool.allocate(2)
    before = state(pool)
    with pytest.raises(ValueError, match="block 3: expected at least 1 holders, got 0"):
        pool.share([0, 3])
    assert state(pool) == before


def test_a_pool_needs_a_block():
    with pytest.raises(ValueError, match="n_blocks: expected at least 1, got 0"):
        BlockPool(0)


@given(st.data(), st.integers(1, 4), st.integers(0, 5))
def test_gather_equals_a_loop_over_tokens(data, block_size, n_blocks_held):
    table = data.draw(st.permutations(range(6)))[:n_blocks_held]
    length = data.draw(st.integers(0, n_blocks_held * block_size))
    pool = torch.arange(6 * 2 * block_size * 3).reshape(6, 2, block_size, 3)
    gathered = gather_blocks(pool, torch.tensor(table, dtype=torch.int64), length)
    assert gathered.shape == (2, length, 3)
    for t in range(length):
        expected = pool[table[t // block_size], :, t % block_size]
        assert torch.equal(gathered[:, t], expected), f"token {t}"


def test_gather_of_several_tables_is_gather_of_each():
    pool = torch.randn(5, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    tables = torch.tensor([[4, 0], [2, 2], [1, 3]])
    together = gather_blocks(pool, tables, 5)
    assert torch.equal(together, torch.stack([gather_blocks(pool, t, 5) for t in tables]))


@pytest.mark.parametrize("length", [-1, 5])
def test_gather_refuses_what_the_table_does_not_hold(length):
    with pytest.raises(ValueError, match=f"length: expected 0 to 4, .* got {length}"):
        gather_blocks(torch.zeros(3, 1, 2, 1), torch.tensor([0, 2]), length)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_bytes_are_those_of_real_caches(dtype):
    width = torch.finfo(dtype).bits // 8
    whole = KVCache(3, 2, 4, n_rows=5, n_places=7, dtype=dtype)
    assert cache_bytes(3, 2, 4, [7] * 5, bytes_per_number=width) == whole.n_bytes
    lengths = [1, 8, 9, 0]
    paged = PagedCache(3, 2, 4, n_blocks=9, block_size=4, dtype=dtype)
    for length in lengths:
        paged.extend(paged.start(), length)
    one_block = (paged.keys.nbytes + paged.values.nbytes) // 9
    held = (9 - paged.pool.n_free) * one_block
    assert cache_bytes(3, 2, 4, lengths, 4, width) == held
