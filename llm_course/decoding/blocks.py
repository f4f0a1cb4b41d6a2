"""A fixed number of equal blocks: which are free, and how many holders each of the others has.

The pool knows numbers only; the keys and values are kept by ``PagedCache``. Leaves out swapping
blocks to another memory: a pool that is full says so.
"""

from collections import Counter
from collections.abc import Sequence

from einops import rearrange
from torch import Tensor


class OutOfBlocks(RuntimeError):
    """The pool has fewer free blocks than are needed; nothing was changed.

    Args:
        asked: blocks that were needed.
        free: blocks that were free.
        n_blocks: blocks of the pool.

    >>> raise OutOfBlocks(asked=3, free=1, n_blocks=8)
    Traceback (most recent call last):
    ...
    llm_course.decoding.blocks.OutOfBlocks: blocks: expected 3 free, got 1 of 8. Fix: release a \
sequence and go on with it later, or make a cache with more blocks.
    """

    def __init__(self, asked: int, free: int, n_blocks: int) -> None:
        self.asked, self.free, self.n_blocks = asked, free, n_blocks
        super().__init__(
            f"blocks: expected {asked} free, got {free} of {n_blocks}. Fix: release a sequence and "
            "go on with it later, or make a cache with more blocks."
        )


class BlockPool:
    """Reference counts over ``n_blocks`` blocks, and the list of those that are free.

    A block is free exactly if nobody holds it. Every method changes all it is asked to, or
    raises and changes nothing.

    Args:
        n_blocks: how many blocks there are.

    Raises:
        ValueError: there is not even one block.

    >>> pool = BlockPool(3)
    >>> table = pool.allocate(2)
    >>> pool.share(table)  # a second holder of both
    >>> pool.release(table)
    >>> pool.n_free, pool.references(table[0])
    (1, 1)
    >>> pool.release(table)
    >>> pool.n_free
    3
    """

    def __init__(self, n_blocks: int) -> None:
        if n_blocks < 1:
            raise ValueError(f"n_blocks: expected at least 1, got {n_blocks}.")
        self.n_blocks = n_blocks
        self._references = [0] * n_blocks
        self._free = list(reversed(range(n_blocks)))  # a stack: block 0 is handed out first

    @property
    def n_free(self) -> int:
        """How many blocks nobody holds."""
        return len(self._free)

    def references(self, block: int) -> int:
        """How many hold this block; 0 if it is free."""
        return self._references[block]

    def allocate(self, n_blocks: int) -> list[int]:
        """Hand out free blocks, each with one holder.

        Raises:
            OutOfBlocks: fewer are free.
        """
        if n_blocks > self.n_free:
            raise OutOfBlocks(n_blocks, self.n_free, self.n_blocks)
        taken = [self._free.pop() for _ in range(n_blocks)]
        for block in taken:
            self._references[block] = 1
        return taken

    def share(self, blocks: Sequence[int]) -> None:
        """Count one more holder of each of these blocks.

        Raises:
            ValueError: a block is free, so that there is nothing in it to share.
        """
        self._check_held(Counter(dict.fromkeys(blocks, 1)))
        for block in blocks:
            self._references[block] += 1

    def release(self, blocks: Sequence[int]) -> None:
        """Count one holder less of each of these blocks; the last one frees it.

        Raises:
            ValueError: a block is released more often than it is held.
        """
        self._check_held(Counter(blocks))
        for block in blocks:
            self._references[block] -= 1
            if self._references[block] == 0:
                self._free.append(block)

    def _check_held(self, times: Counter[int]) -> None:
        """Each block exists and has at least so many holders."""
        for block, least in times.items():
            held = self._references[block] if 0 <= block < self.n_blocks else 0
            if held < least:
                raise ValueError(
                    f"block {block}: expected at least {least} holders, got {held}. "
                    "Fix: share or release only what a table holds."
                )


def cache_bytes(
    n_layers: int, n_kv_heads: int, d_head: int, lengths: Sequence[int],
    block_size: int = 1, bytes_per_number: int = 2,
) -> int:  # fmt: skip
    """Bytes of the keys and values of several texts, each in whole blocks of its own.

    ``2 · L · g · d · s · Σ ceil(n / s) · bytes``

    Args:
        n_layers: layers of the model.
        n_kv_heads: key-value heads of a layer.
        d_head: features of a head.
        lengths: tokens of each text.
        block_size: tokens of a block.
        bytes_per_number: 2 for 16-bit numbers.

    Source:
        Kwon et al. 2023, arXiv:2309.06180, section 3.1 (one token) and 4.1 (blocks).

    >>> cache_bytes(1, 1, 1, [3, 1], block_size=2)  # 2 and 1 blocks: 6 places, a key and a value
    24
    """
    n_places = sum(blocks_for(n, block_size) for n in lengths) * block_size
    return 2 * n_layers * n_kv_heads * d_head * n_places * bytes_per_number


def blocks_for(n_tokens: int, block_size: int) -> int:
    """How many blocks hold so many tokens: the last one may be filled in part.

    >>> blocks_for(5, 4), blocks_for(8, 4), blocks_for(0, 4)
    (2, 2, 0)
    """
    return -(-n_tokens // block_size)


def gather_blocks(pool: Tensor, table: Tensor, length: int) -> Tensor:
    """Read the keys (or values) of a sequence, in order, from blocks that lie anywhere.

    Token ``t`` of the sequence is ``pool[table[t // block_size], :, t % block_size]``.

    Args:
        pool: the keys of all blocks; `n` blocks of `s` tokens each.
        table: the block numbers of one sequence, or of several that were padded to one width.
        length: tokens to read.

    Shapes:
        pool ``n g s d``; table ``m`` or ``b m``, integers; returns ``g k d`` or ``b g k d`` with
        ``k = length``.

    Raises:
        ValueError: the table's blocks hold fewer tokens than ``length``.

    Source:
        Kwon et al. 2023, arXiv:2309.06180, section 4.1.

    >>> import torch
    >>> pool = torch.tensor([[10, 11], [20, 21], [30, 31]]).reshape(3, 1, 2, 1)  # 2 tokens a block
    >>> gather_blocks(pool, torch.tensor([2, 0]), length=3).flatten().tolist()
    [30, 31, 10]
    """
    capacity = table.shape[-1] * pool.shape[2]
    if not 0 <= length <= capacity:
        raise ValueError(f"length: expected 0 to {capacity}, what the table holds, got {length}.")
    return rearrange(pool[table], "... m g s d -> ... g (m s) d")[..., :length, :]
