"""Plausible wrong answers to ex-10-6, writing into a cache."""

import torch


def _check(kept, new, lengths):
    if lengths.max() + new.shape[2] > kept.shape[2]:
        raise ValueError("new: a text has no room for its tokens.")


def one_place_for_all(kept, new, lengths):
    """Every row is written where the longest text ends."""
    _check(kept, new, lengths)
    start = int(lengths.max())
    kept[:, :, start : start + new.shape[2]] = new
    return kept


def appended(kept, new, lengths):
    """The new tokens are put behind the whole room, which grows."""
    _check(kept, new, lengths)
    return torch.cat([kept, new], dim=2)


def over_the_last(kept, new, lengths):
    """The last token that was there is overwritten: one place too early."""
    _check(kept, new, lengths)
    for row, start in enumerate(lengths.clamp(min=1).tolist()):
        kept[row, :, start - 1 : start - 1 + new.shape[2]] = new[row]
    return kept


def added_to_padding(kept, new, lengths):
    """What lay in the place is added to, not overwritten."""
    _check(kept, new, lengths)
    for row, start in enumerate(lengths.tolist()):
        kept[row, :, start : start + new.shape[2]] += new[row]
    return kept


def cut_in_silence(kept, new, lengths):
    """Tokens that have no room are dropped, and no error is raised."""
    for row, start in enumerate(lengths.tolist()):
        room = kept.shape[2] - start
        kept[row, :, start : start + new.shape[2]] = new[row, :, :room]
    return kept


def first_token_only(kept, new, lengths):
    """A step of decoding has one token; the others of a longer piece are forgotten."""
    _check(kept, new, lengths)
    for row, start in enumerate(lengths.tolist()):
        kept[row, :, start] = new[row, :, 0]
    return kept
