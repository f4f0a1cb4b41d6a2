"""Plausible wrong answers to ex-07-3, the look-ahead mask."""

import torch


def upside_down(n_queries, n_keys):
    """True marks the future, where the course's masks say True = may attend."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).triu(diagonal=1 + n_keys - n_queries)


def future_only(n_queries, n_keys):
    """The upper triangle is kept: each token sees itself and what follows."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).triu(diagonal=n_keys - n_queries)


def blind_to_itself(n_queries, n_keys):
    """Strictly earlier keys only: the first query may attend to nothing."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(diagonal=n_keys - n_queries - 1)


def aligned_at_the_first_key(n_queries, n_keys):
    """Query 0 is put at key 0 even when it continues a cache, so new queries miss old keys."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril()


def one_step_too_far(n_queries, n_keys):
    """Each query sees one key of the future, the very one that it should predict."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(diagonal=n_keys - n_queries + 1)


def numbers_instead_of_booleans(n_queries, n_keys):
    """The triangle is of floats; PyTorch adds a float mask to the scores and hides nothing."""
    return torch.ones(n_queries, n_keys).tril(diagonal=n_keys - n_queries)


def square(n_queries, n_keys):
    """The mask is as large as the keys on both sides, so it does not fit fewer queries."""
    return torch.ones(n_keys, n_keys, dtype=torch.bool).tril()
