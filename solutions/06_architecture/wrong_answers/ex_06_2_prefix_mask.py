"""Plausible wrong answers to ex-06-2, a prefix language model."""

import torch


def _parts(n_tokens, prefix_lengths):
    position = torch.arange(n_tokens)
    in_prefix = position < prefix_lengths[:, None]
    return position, in_prefix, position[:, None] >= position


def causal_only(n_tokens, prefix_lengths):
    """The prefix stays causal: only the loss was changed, not the mask."""
    _, in_prefix, not_later = _parts(n_tokens, prefix_lengths)
    return not_later.expand(len(prefix_lengths), 1, n_tokens, n_tokens), ~in_prefix


def loss_on_every_token(n_tokens, prefix_lengths):
    """The mask alone: tokens of the prefix are to be foretold although they can be seen."""
    _, in_prefix, not_later = _parts(n_tokens, prefix_lengths)
    return in_prefix[:, None, None, :] | not_later, torch.ones_like(in_prefix)


def prefix_blind_to_what_is_between(n_tokens, prefix_lengths):
    """Both query and key must be in the prefix or both after it: the target loses the source."""
    _, in_prefix, not_later = _parts(n_tokens, prefix_lengths)
    both = in_prefix[:, None, :, None] & in_prefix[:, None, None, :]
    after = ~in_prefix[:, None, :, None] & ~in_prefix[:, None, None, :] & not_later
    return both | after, ~in_prefix


def everybody_sees_everybody(n_tokens, prefix_lengths):
    """What follows the prefix sees its own future as well."""
    _, in_prefix, _ = _parts(n_tokens, prefix_lengths)
    return torch.ones(len(in_prefix), 1, n_tokens, n_tokens, dtype=torch.bool), ~in_prefix


def rows_for_columns(n_tokens, prefix_lengths):
    """The prefix is taken along the queries: its tokens see everything, the target too."""
    _, in_prefix, not_later = _parts(n_tokens, prefix_lengths)
    return in_prefix[:, None, :, None] | not_later, ~in_prefix


def one_too_many(n_tokens, prefix_lengths):
    """The prefix is one token longer than it should be: `<=` for `<`."""
    position, _, not_later = _parts(n_tokens, prefix_lengths)
    in_prefix = position <= prefix_lengths[:, None]
    return in_prefix[:, None, None, :] | not_later, ~in_prefix


def counts_along_the_logits(n_tokens, prefix_lengths):
    """The counts are shifted by one, to the position that makes the prediction."""
    position, in_prefix, not_later = _parts(n_tokens, prefix_lengths)
    counts = position >= prefix_lengths[:, None] - 1
    return in_prefix[:, None, None, :] | not_later, counts


def first_length_for_all(n_tokens, prefix_lengths):
    """All sequences get the prefix of the first."""
    same = prefix_lengths[:1].expand(len(prefix_lengths))
    _, in_prefix, not_later = _parts(n_tokens, same)
    return in_prefix[:, None, None, :] | not_later, ~in_prefix


def upside_down(n_tokens, prefix_lengths):
    """True = hidden, PyTorch's polarity in nn.Transformer."""
    _, in_prefix, not_later = _parts(n_tokens, prefix_lengths)
    return ~(in_prefix[:, None, None, :] | not_later), ~in_prefix


def the_prefix_counts(n_tokens, prefix_lengths):
    """The loss is taken on the prefix, and not on what follows."""
    _, in_prefix, not_later = _parts(n_tokens, prefix_lengths)
    return in_prefix[:, None, None, :] | not_later, in_prefix
