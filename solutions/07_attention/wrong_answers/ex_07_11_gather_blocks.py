"""Plausible wrong answers to ex-07-11, reading through a block table."""

from einops import rearrange


def _check(pool, table, length):
    if length > len(table) * pool.shape[2]:
        raise ValueError("length: the table's blocks hold fewer tokens.")


def table_ignored(pool, table, length):
    """The blocks are read in the order in which they lie."""
    _check(pool, table, length)
    return rearrange(pool, "m g s d -> g (m s) d")[:, :length]


def whole_blocks(pool, table, length):
    """The unused rest of the last block is returned as well."""
    _check(pool, table, length)
    return rearrange(pool[table], "m g s d -> g (m s) d")


def tokens_before_blocks(pool, table, length):
    """The first tokens of all blocks come first, then all second ones."""
    _check(pool, table, length)
    return rearrange(pool[table], "m g s d -> g (s m) d")[:, :length]


def heads_mixed_with_tokens(pool, table, length):
    """A reshape instead of a rearrangement: a head's tokens go to its neighbour."""
    _check(pool, table, length)
    blocks = pool[table]
    return blocks.reshape(blocks.shape[1], -1, blocks.shape[3])[:, :length]


def too_few_tokens_in_silence(pool, table, length):
    """A table that is too short gives fewer keys, and no error."""
    return rearrange(pool[table], "m g s d -> g (m s) d")[:, :length]


def reads_backwards(pool, table, length):
    """The table is read from its end."""
    _check(pool, table, length)
    return rearrange(pool[table.flip(0)], "m g s d -> g (m s) d")[:, :length]
