"""The paged cache against a contiguous one, under any order of start, extend, fork, release."""

from collections import Counter

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from llm_course.decoding.blocks import OutOfBlocks
from llm_course.decoding.paged_cache import PagedCache
from llm_course.shapes import ShapeError

N_LAYERS, N_KV_HEADS, D_HEAD, N_BLOCKS, BLOCK_SIZE = 2, 2, 1, 6, 3


def small_cache(**changes) -> PagedCache:
    sizes = {"n_blocks": N_BLOCKS, "block_size": BLOCK_SIZE, "dtype": torch.float64}
    return PagedCache(N_LAYERS, N_KV_HEADS, D_HEAD, **(sizes | changes))


def snapshot(cache: PagedCache) -> tuple:
    tables = {sequence: cache.table(sequence) for sequence in cache.sequences}
    lengths = {sequence: cache.length(sequence) for sequence in cache.sequences}
    references = [cache.pool.references(block) for block in range(cache.pool.n_blocks)]
    return (
        tables,
        lengths,
        references,
        cache.pool.n_free,
        cache.keys.tolist(),
        (cache.values.tolist()),
    )


class PagedAgainstContiguous(RuleBasedStateMachine):
    """The reference keeps each sequence's keys and values as plain lists, and copies to fork."""

    live = Bundle("live")

    def __init__(self):
        super().__init__()
        self.cache = small_cache()
        self.reference: dict[int, list[list[float]]] = {}  # sequence -> one row for each token
        self.n_written = 0

    @rule(target=live)
    def start(self):
        sequence = self.cache.start()
        assert sequence not in self.reference, "a number was given twice"
        self.reference[sequence] = []
        return sequence

    @rule(target=live, parent=live, share=st.none() | st.floats(0, 1))
    def fork(self, parent, share):
        n = None if share is None else round(share * len(self.reference[parent]))
        sequence = self.cache.fork(parent, n)
        assert sequence not in self.reference
        self.reference[sequence] = list(self.reference[parent][:n])
        return sequence

    @rule(target=live, sequence=consumes(live))
    def release(self, sequence):
        self.cache.release(sequence)
        del self.reference[sequence]
        return multiple()

    @rule(sequence=live, n_tokens=st.integers(0, 7))
    def append(self, sequence, n_tokens):
        before = snapshot(self.cache)
        try:
            slots = self.cache.extend(sequence, n_tokens)
        except OutOfBlocks as error:
            assert error.asked > error.free == self.cache.pool.n_free
            assert snapshot(self.cache) == before, "a refused extension changed the cache"
            return
        blocks, offsets = slots // BLOCK_SIZE, slots % BLOCK_SIZE
        fresh = [kept[:, blocks, :, offsets] for kept in (self.cache.keys, self.cache.values)]
        assert not torch.cat(fresh).any(), "a new slot holds what another sequence wrote"
        rows = []
        for _ in range(n_tokens):  # no number is written twice: a mix-up cannot go unseen
            rows.append([float(self.n_written + i) for i in range(2 * N_LAYERS * N_KV_HEADS)])
            self.n_written += 2 * N_LAYERS * N_KV_HEADS
        new = torch.tensor(rows, dtype=torch.float64).reshape(n_tokens, N_LAYERS, 2, N_KV_HEADS, 1)
        for layer in range(N_LAYERS):
            key, value = new[:, layer].permute(1, 2, 0, 3)
            self.cache.write(layer, slots, key, value)
        self.reference[sequence] += rows

    @invariant()
    def gathered_keys_and_values_are_the_contiguous_ones(self):
        for sequence, rows in self.reference.items():
            gathered = [self.cache.gather(layer, sequence) for layer in range(N_LAYERS)]
            flat = torch.stack([torch.stack(pair) for pair in gathered]).squeeze(-1)
            assert flat.permute(3, 0, 1, 2).flatten(1).tolist() == rows, f"sequence {sequence}"
            assert self.cache.length(sequence) == len(rows)

    @invariant()
    def references_count_the_tables_that_hold_a_block(self):
        tables = [self.cache.table(sequence) for sequence in self.cache.sequences]
        holders = Counter(block for table in tables for block in table)
        counted = {block: self.cache.pool.references(block) for block in range(N_BLOCKS)}
        assert counted == {block: holders[block] for block in range(N_BLOCKS)}
        free = self.cache.pool._free
        assert len(set(free)) == len(free), "a block is in the free list twice"
        assert set(free) == set(range(N_BLOCKS)) - set(holders), "free and used, or leaked"

    @invariant()
    def a_sequence_holds_as_few_blocks_as_its_length_needs(self):
        for sequence in self.cache.sequences:
            n_blocks = len(self.cache.table(sequence))
            room = n_blocks * BLOCK_SIZE - self.cache.length(sequence)
            assert 0 <= room < BLOCK_SIZE

    def teardown(self):
        for sequence in self.cache.sequences:
            self.cache.release(sequence)
        assert self.cache.pool.n_free == N_BLOCKS, "blocks leaked"


TestPagedAgainstContiguous = PagedAgainstContiguous.TestCase
TestPagedAgainstContiguous.settings = settings(
    max_examples=100, stateful_step_count=25, deadline=None
)


def filled(cache: PagedCache, n_tokens: int, first: float = 1.0) -> int:
    sequence = cache.start()
    write(cache, sequence, n_tokens, first)
    return sequence


def write(cache: PagedCache, sequence: int, n_tokens: int, first: float) -> None:
    slots = cache.extend(sequence, n_tokens)
    numbers = torch.arange(n_tokens, dtype=torch.float64).reshape(1, -1, 1) + first
    for layer in range(N_LAYERS):
        cache.write(layer, slots, numbers.expand(2, -1, 1), -numbers.expand(2, -1, 1))


def test_forks_share_until_one_writes_and_only_the_last_block_is_copied():
    cache = small_cache()
    parent = filled(cache, 5)
    children = [cache.fork(parent), cache.fork(parent)]
    assert cache.pool.n_free == N_BLOCKS - 2, "a fork must take no block"
    write(cache, children[0], 1, first=70.0)
    assert cache.table(parent) == cache.table(children[1]) == [0, 1]
    assert cache.table(children[0]) == [0, 2], "only the partly filled block is copied"
    write(cache, children[1], 1, first=80.0)
    assert cache.table(children[1]) == [0, 3]
    write(cache, parent, 1, first=90.0)
    assert cache.table(parent) == [0, 1], "the last holder writes in place"
    last = [cache.gather(1, s)[0][0, -1].item() for s in (parent, *children)]
    assert last == [90.0, 70.0, 80.0]


def test_a_full_shared_block_is_never_copied():
    cache = small_cache()
    parent = filled(cache, 3)
    child = cache.fork(parent)
    write(cache, child, 1, first=50.0)
    assert (cache.table(parent), cache.table(child)) == ([0], [0, 1])


def test_a_part_of_a_sequence_never_shows_what_followed_in_the_whole():
    cache = small_cache()
    parent = filled(cache, 5)
    part = cache.fork(parent, 4)
    grandchild = cache.fork(part)
    cache.release(parent)
    cache.release(part)
    cache.extend(grandchild, 1)
    assert cache.gather(0, grandchild)[0][0, :, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 0.0]


def test_the_copy_counts_as_a_block_that_must_be_free():
    cache = small_cache(n_blocks=2)
    parent = filled(cache, 4)
    child = cache.fork(parent)
    before = snapshot(cache)
    with pytest.raises(OutOfBlocks, match="expected 1 free, got 0 of 2"):
        cache.extend(child, 1)
    assert snapshot(cache) == before
    cache.release(parent)
    cache.extend(child, 2)  # now it is the only holder


def test_several_sequences_are_written_at_once():
    together, apart = small_cache(), small_cache()
    new = torch.randn(2, 2, 5, 1, generator=torch.Generator().manual_seed(0)).double()
    sizes = [2, 3]
    slots = torch.cat([together.extend(together.start(), n) for n in sizes])
    together.write(0, slots, *new)
    for part in new.split(sizes, dim=2):
        apart.write(0, apart.extend(apart.start(), part.shape[2]), *part)
    assert torch.equal(together.keys, apart.keys) and together.keys.abs().sum() > 0
    assert torch.equal(together.values, apart.values)


def test_memory_is_taken_once():
    cache = small_cache()
    address = cache.keys.data_ptr(), cache.values.data_ptr()
    filled(cache, 12)
    assert (cache.keys.data_ptr(), cache.values.data_ptr()) == address
    assert cache.keys.shape == cache.values.shape == (2, 6, 2, 3, 1)


@pytest.mark.parametrize("call", ["fork", "release", "length", "table"])
def test_a_released_sequence_is_refused(call):
    cache = small_cache()
    kept, gone = cache.start(), cache.start()
    cache.release(gone)
    with pytest.raises(ValueError, match=r"sequence: expected one that is live \(0\), got 1"):
        getattr(cache, call)(gone)
    with pytest.raises(ValueError, match=r"got 1"):
        cache.extend(gone, 1)
    assert cache.sequences == [kept]


def test_what_does_not_fit_is_refused():
    cache = small_cache()
    slots = cache.extend(cache.start(), 2)
    fits = torch.zeros(2, 2, 1)
    with pytest.raises(ShapeError, match=r"key: expected t=2, got 3 in shape \(2, 3, 1\)"):
        cache.write(0, slots, torch.zeros(2, 3, 1), fits)
    with pytest.raises(ShapeError, match=r"value: expected g=2, got 1 in shape \(1, 2, 1\)"):
        cache.write(0, slots, fits, torch.zeros(1, 2, 1))
    with pytest.raises(ValueError, match="n_tokens: expected 0 or more, got -1"):
        cache.extend(0, -1)
    with pytest.raises(ValueError, match="block_size: expected at least 1, got 0"):
        small_cache(block_size=0)
