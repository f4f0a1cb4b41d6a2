"""Plausible wrong answers to ex-09-5, what lies where in a rolling cache."""


def sinks_overwritten(n_seen, n_sinks, window):
    """The whole memory is one ring: the first tokens go as soon as it is full."""
    held = [None] * (n_sinks + window)
    for token in range(n_seen):
        held[token % (n_sinks + window)] = token
    return held


def everything_moves(n_seen, n_sinks, window):
    """The kept tokens stand in the order of the text: all of them move for each new one."""
    kept = [t for t in range(n_seen) if t < n_sinks or t >= n_seen - window]
    return kept + [None] * (n_sinks + window - len(kept))


def ring_begins_at_token_zero(n_seen, n_sinks, window):
    """The place in the ring is the token's number modulo the window: the sinks are not deducted."""
    held = [None] * (n_sinks + window)
    for token in range(n_seen):
        held[token if token < n_sinks else n_sinks + token % window] = token
    return held


def one_place_too_few(n_seen, n_sinks, window):
    """The sinks are counted as part of the window."""
    held = [None] * window
    for token in range(n_seen):
        place = token if token < n_sinks else n_sinks + (token - n_sinks) % max(window - n_sinks, 1)
        held[min(place, window - 1)] = token
    return held


def zeros_where_nothing_is(n_seen, n_sinks, window):
    """An empty place says 0, as if token 0 lay there."""
    held = [0] * (n_sinks + window)
    for token in range(n_seen):
        held[token if token < n_sinks else n_sinks + (token - n_sinks) % window] = token
    return held


def one_token_behind(n_seen, n_sinks, window):
    """The newest token is not written yet."""
    held = [None] * (n_sinks + window)
    for token in range(n_seen - 1):
        held[token if token < n_sinks else n_sinks + (token - n_sinks) % window] = token
    return held


def first_come_first_kept(n_seen, n_sinks, window):
    """When the memory is full, later tokens are dropped."""
    held = [None] * (n_sinks + window)
    for token in range(min(n_seen, n_sinks + window)):
        held[token] = token
    return held
