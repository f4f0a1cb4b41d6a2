"""Plausible wrong answers to ex-10-9, admission."""


def no_spare_blocks(waiting, n_free, n_running, block_size, max_running):
    """The last block is given away, and a text that runs must stop when it grows."""
    for n_admitted, length in enumerate(waiting):
        n_free -= -(-length // block_size)
        if n_running >= max_running or n_free < 0:
            return n_admitted
        n_running += 1
    return len(waiting)


def overtaking(waiting, n_free, n_running, block_size, max_running):
    """A short text passes a long one that does not fit, which may then wait for ever."""
    n_admitted = 0
    for length in waiting:
        needed = -(-length // block_size)
        if n_running < max_running and n_free - needed >= n_running:
            n_free -= needed
            n_running += 1
            n_admitted += 1
    return n_admitted


def spare_for_itself(waiting, n_free, n_running, block_size, max_running):
    """The newcomer is counted before the test, and asks for a spare block of its own."""
    for n_admitted, length in enumerate(waiting):
        n_free -= -(-length // block_size)
        n_running += 1
        if n_running > max_running or n_free < n_running:
            return n_admitted
    return len(waiting)


def rounded_down(waiting, n_free, n_running, block_size, max_running):
    """A block that is not filled is not counted."""
    for n_admitted, length in enumerate(waiting):
        n_free -= length // block_size
        if n_running >= max_running or n_free < n_running:
            return n_admitted
        n_running += 1
    return len(waiting)


def one_too_many(waiting, n_free, n_running, block_size, max_running):
    """The batch takes one text more than it has places."""
    for n_admitted, length in enumerate(waiting):
        n_free -= -(-length // block_size)
        if n_running > max_running or n_free < n_running:
            return n_admitted
        n_running += 1
    return len(waiting)


def newcomers_forgotten(waiting, n_free, n_running, block_size, max_running):
    """Texts that joined a moment ago get no spare block."""
    for n_admitted, length in enumerate(waiting):
        n_free -= -(-length // block_size)
        if n_running + n_admitted >= max_running or n_free < n_running:
            return n_admitted
    return len(waiting)
