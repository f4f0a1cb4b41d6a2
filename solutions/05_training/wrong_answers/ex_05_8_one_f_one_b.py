"""Plausible wrong answers to ex-05-8, the 1F1B schedule."""


def _with_warm_up(warm_up, n_microbatches):
    warm_up = min(warm_up, n_microbatches)
    actions = [("F", i) for i in range(warm_up)]
    for i in range(warm_up, n_microbatches):
        actions += [("F", i), ("B", i - warm_up)]
    return actions + [("B", i) for i in range(n_microbatches - warm_up, n_microbatches)]


def gpipe(stage, n_stages, n_microbatches):
    """All forward, then all backward: every micro-batch waits in memory."""
    return _with_warm_up(n_microbatches, n_microbatches)


def no_warm_up(stage, n_stages, n_microbatches):
    """One forward, one backward from the start on every stage: the naive pipeline."""
    return _with_warm_up(0, n_microbatches)


def one_too_many(stage, n_stages, n_microbatches):
    """The warm-up counts this stage as well, so one micro-batch more is kept."""
    return _with_warm_up(n_stages - stage, n_microbatches)


def other_way_round(stage, n_stages, n_microbatches):
    """The warm-up counts the stages before this one, not those behind it."""
    return _with_warm_up(stage, n_microbatches)


def backward_first(stage, n_stages, n_microbatches):
    """In the steady state the backward pass comes before the forward pass."""
    warm_up = min(n_stages - 1 - stage, n_microbatches)
    actions = [("F", i) for i in range(warm_up)]
    for i in range(warm_up, n_microbatches):
        actions += [("B", i - warm_up), ("F", i)]
    return actions + [("B", i) for i in range(n_microbatches - warm_up, n_microbatches)]


def last_in_first_out(stage, n_stages, n_microbatches):
    """Backward goes through the micro-batches from the newest to the oldest."""
    actions, kept = [], []
    for i in range(n_microbatches):
        actions.append(("F", i))
        kept.append(i)
        if len(kept) > n_stages - 1 - stage:
            actions.append(("B", kept.pop()))
    return actions + [("B", i) for i in reversed(kept)]


def no_cool_down(stage, n_stages, n_microbatches):
    """The backward passes that are left after the last forward pass are forgotten."""
    return [
        action
        for i in range(n_microbatches)
        for action in (("F", i), ("B", i - (n_stages - 1 - stage)))
        if action[1] >= 0
    ]


def many_stages_many_passes(stage, n_stages, n_microbatches):
    """The warm-up is not limited by the number of micro-batches."""
    warm_up = n_stages - 1 - stage
    actions = [("F", i) for i in range(warm_up)]
    for i in range(warm_up, n_microbatches):
        actions += [("F", i), ("B", i - warm_up)]
    return actions + [("B", i) for i in range(max(0, n_microbatches - warm_up), n_microbatches)]
