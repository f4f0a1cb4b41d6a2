"""Random numbers by their place: number 1,000 of a stream without making the 999 before it.

Philox is a counter-based generator: its output is a function of a key and a counter. So nothing
has to be saved to go on later but the counter, and a run that is resumed anywhere draws what it
would have drawn.
"""

import hashlib

import numpy as np

_CACHED_BLOCK = 1024


def uniform(seed: int, stream: str, step: int) -> float:
    """Number ``step`` of a stream of uniform numbers in [0, 1).

    Args:
        seed: of the run.
        stream: what the numbers are for; streams are independent.
        step: which of them, from 0.

    Raises:
        ValueError: the step is negative.

    Source:
        Salmon et al. 2011, *Parallel random numbers: as easy as 1, 2, 3*.

    >>> uniform(0, "mixture", 7) == uniform(0, "mixture", 7) != uniform(0, "mixture", 8)
    True
    """
    if step < 0:
        raise ValueError(f"step: expected 0 or more, got {step}.")
    block, place = divmod(step, _CACHED_BLOCK)
    return float(_block(seed, stream, block)[place])


def permutation(n: int, seed: int, stream: str) -> np.ndarray:
    """The numbers ``0 .. n-1`` in random order: sorted by a 64-bit random key each.

    NumPy keeps the raw output of a bit generator the same between versions; it does not promise
    that of ``Generator.permutation``. Equal keys, which are less likely than a faulty bit of
    memory, keep their order.

    Args:
        n: how many.
        seed: of the run.
        stream: what the order is for.

    Shapes:
        returns ``n``, int64.

    >>> sorted(permutation(4, seed=0, stream="epoch 0").tolist())
    [0, 1, 2, 3]
    """
    if n < 0:
        raise ValueError(f"n: expected 0 or more, got {n}.")
    keys = np.random.Philox(key=_key(seed, stream)).random_raw(n)
    return np.argsort(keys, kind="stable").astype(np.int64)


_BLOCKS: dict[tuple[int, str, int], np.ndarray] = {}


def _block(seed: int, stream: str, block: int) -> np.ndarray:
    """A block of uniform numbers; the last few blocks are remembered."""
    place = seed, stream, block
    if place not in _BLOCKS:
        if len(_BLOCKS) >= 16:
            _BLOCKS.pop(next(iter(_BLOCKS)))
        # One step of Philox's counter gives four numbers of 64 bits.
        bits = np.random.Philox(key=_key(seed, stream), counter=block * _CACHED_BLOCK // 4)
        # The upper 53 bits are those that a double holds.
        _BLOCKS[place] = (bits.random_raw(_CACHED_BLOCK) >> np.uint64(11)) * 2.0**-53
    return _BLOCKS[place]


def _key(seed: int, stream: str) -> int:
    """The 128-bit key of a stream."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{stream}".encode()).digest()[:16], "little")
