"""PagedAttention's cache: the keys and values of many sequences, in blocks that lie anywhere.

A sequence owns a table of block numbers, as a process owns a table of memory pages. It grows by a
block at a time, so that at most the rest of its last block is unused; and sequences that begin
alike share the blocks of their beginning. Leaves out scheduling (who waits when the blocks are
used up) and kernels that read the blocks in place: here they are gathered first.
"""

import torch
from einops import rearrange
from torch import Tensor

from llm_course.decoding.blocks import BlockPool, blocks_for, gather_blocks
from llm_course.shapes import check_shape


class PagedCache:
    """Keys and values of all layers for many sequences, in ``n_blocks`` blocks.

    To add tokens: ``slots = cache.extend(sequence, n_tokens)``, and then for every layer
    ``cache.write(layer, slots, key, value)``.

    Args:
        n_layers: layers of the model.
        n_kv_heads: key-value heads of a layer.
        d_head: features of a head.
        n_blocks: blocks of the pool; all memory is taken at once.
        block_size: tokens a block.
        dtype: of the keys and values.
        device: where they are kept.

    Raises:
        ValueError: a size is not positive.

    Source:
        Kwon et al. 2023, arXiv:2309.06180, sections 4.1 to 4.4.

    >>> cache = PagedCache(1, 1, 1, n_blocks=4, block_size=2)
    >>> first = cache.start()
    >>> slots = cache.extend(first, 3)  # two blocks, the second half full
    >>> cache.write(0, slots, torch.tensor([[[5.0], [6.0], [7.0]]]), torch.zeros(1, 3, 1))
    >>> second = cache.fork(first)  # shares both
    >>> cache.write(0, cache.extend(second, 1), torch.tensor([[[8.0]]]), torch.zeros(1, 1, 1))
    >>> cache.table(first), cache.table(second)  # the half-full block was copied
    ([0, 1], [0, 2])
    >>> cache.gather(0, second)[0].flatten().tolist()
    [5.0, 6.0, 7.0, 8.0]
    """

    def __init__(
        self,
        n_layers: int,
        n_kv_heads: int,
        d_head: int,
        *,
        n_blocks: int,
        block_size: int = 16,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        sizes = {"n_layers": n_layers, "n_kv_heads": n_kv_heads, "d_head": d_head}
        for name, size in {**sizes, "block_size": block_size}.items():
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, got {size}.")
        self.pool = BlockPool(n_blocks)
        self.block_size = block_size
        shape = (n_layers, n_blocks, n_kv_heads, block_size, d_head)  # a layer: n g s d
        self.keys = torch.zeros(shape, dtype=dtype, device=device)
        self.values = torch.zeros(shape, dtype=dtype, device=device)
        self._tables: dict[int, list[int]] = {}
        self._lengths: dict[int, int] = {}
        self._stale: set[int] = set()  # behind their last token lies what another one wrote
        self._n_started = 0

    @property
    def sequences(self) -> list[int]:
        """The sequences that were started or forked and not yet released, oldest first."""
        return list(self._tables)

    def length(self, sequence: int) -> int:
        """Tokens of a sequence."""
        self._check_live(sequence)
        return self._lengths[sequence]

    def table(self, sequence: int) -> list[int]:
        """A copy of a sequence's block table: which block holds which part of it."""
        self._check_live(sequence)
        return list(self._tables[sequence])

    def start(self) -> int:
        """Begin an empty sequence, which holds no block yet; returns its number."""
        return self._enter([], 0)

    def fork(self, sequence: int, n_tokens: int | None = None) -> int:
        """Begin a sequence as a copy of another, sharing all its blocks; returns its number.

        Nothing is copied until one of the two is extended in a block that both hold.

        Args:
            sequence: the other one.
            n_tokens: how many of its first tokens are shared; all if not given.

        Raises:
            ValueError: it has fewer tokens, or is not live.
        """
        table, length = self.table(sequence), self._lengths[sequence]
        n_tokens = length if n_tokens is None else n_tokens
        if not 0 <= n_tokens <= length:
            raise ValueError(f"n_tokens: expected 0 to {length}, its length, got {n_tokens}.")
        table = table[: blocks_for(n_tokens, self.block_size)]
        self.pool.share(table)
        copy = self._enter(table, n_tokens)
        if n_tokens < length or sequence in self._stale:
            self._stale.add(copy)
        return copy

    def release(self, sequence: int) -> None:
        """End a sequence; blocks that no other holds are free again."""
        self._check_live(sequence)
        self.pool.release(self._tables.pop(sequence))
        del self._lengths[sequence]
        self._stale.discard(sequence)

    def extend(self, sequence: int, n_tokens: int) -> Tensor:
        """Make room for more tokens, and say where they go.

        If the last block has room but another sequence holds it too, it is copied first
        (copy-on-write). The new slots hold zeros until ``write`` has filled them: never what
        another sequence left there.

        Args:
            sequence: which one grows.
            n_tokens: by how many tokens.

        Shapes:
            returns ``t``: ``block * block_size + offset`` of each new token.

        Raises:
            OutOfBlocks: the pool has too few free blocks; the cache is as it was.
            ValueError: the sequence is not live, or ``n_tokens`` is negative.
        """
        table, length = self.table(sequence), self._lengths[sequence]
        if n_tokens < 0:
            raise ValueError(f"n_tokens: expected 0 or more, got {n_tokens}.")
        has_room = n_tokens > 0 and length % self.block_size > 0
        copies = has_room and self.pool.references(table[-1]) > 1
        n_blocks = blocks_for(length + n_tokens, self.block_size)
        fresh = self.pool.allocate(n_blocks - len(table) + copies)
        for kept in (self.keys, self.values):
            kept[:, fresh] = 0
            if copies:
                used = length % self.block_size
                kept[:, fresh[0], :, :used] = kept[:, table[-1], :, :used]
            elif has_room and sequence in self._stale:
                kept[:, table[-1], :, length % self.block_size :] = 0
        if n_tokens > 0:
            self._stale.discard(sequence)
        if copies:
            self.pool.release([table.pop()])
        self._tables[sequence] = table + fresh
        self._lengths[sequence] = length + n_tokens
        return self.slots(sequence, length)

    def slots(self, sequence: int, first: int = 0) -> Tensor:
        """Where the tokens of a sequence lie, from position ``first`` on.

        Shapes:
            returns ``t``: ``block * block_size + offset`` of each.
        """
        table = torch.tensor(self.table(sequence), dtype=torch.int64, device=self.keys.device)
        positions = torch.arange(first, self._lengths[sequence], device=self.keys.device)
        return table[positions // self.block_size] * self.block_size + positions % self.block_size

    def write(self, layer: int, slots: Tensor, key: Tensor, value: Tensor) -> None:
        """Store one layer's keys and values of new tokens, of one sequence or of several.

        Args:
            layer: which layer, from 0.
            slots: where they go, from ``extend``; of several sequences, concatenated.
            key: one vector for each slot and key-value head.
            value: likewise.

        Shapes:
            slots ``t``; key, value ``g t d``.

        Raises:
            ShapeError: the sizes do not fit.
        """
        n_kv_heads, _, d_head = self.keys.shape[2:]
        n_tokens = check_shape(slots, "t", "slots")["t"]
        blocks, offsets = slots // self.block_size, slots % self.block_size
        for name, tensor, kept in (("key", key, self.keys), ("value", value, self.values)):
            check_shape(tensor, "g t d", name, g=n_kv_heads, t=n_tokens, d=d_head)
            kept[layer][blocks, :, offsets] = rearrange(tensor, "g t d -> t g d").to(kept.dtype)

    def gather(self, layer: int, sequence: int) -> tuple[Tensor, Tensor]:
        """One layer's keys and values of a sequence, in order.

        Shapes:
            returns two tensors ``g k d``.
        """
        table = torch.tensor(self.table(sequence), dtype=torch.int64, device=self.keys.device)
        length = self._lengths[sequence]
        keys = gather_blocks(self.keys[layer], table, length)
        return keys, gather_blocks(self.values[layer], table, length)

    def _enter(self, table: list[int], length: int) -> int:
        """Give a table a number of its own."""
        sequence = self._n_started
        self._n_started += 1
        self._tables[sequence], self._lengths[sequence] = table, length
        return sequence

    def _check_live(self, sequence: int) -> None:
        """The sequence was started and not released."""
        if sequence not in self._tables:
            live = ", ".join(map(str, self._tables)) or "none"
            raise ValueError(
                f"sequence: expected one that is live ({live}), got {sequence}. "
                "Fix: use the number that start or fork returned, before release."
            )
