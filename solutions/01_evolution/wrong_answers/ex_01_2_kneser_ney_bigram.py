"""Plausible wrong answers to ex-01-2, Kneser-Ney bigrams."""

import torch


def _smooth(table, behind, discount):
    total = table.sum(dim=-1, keepdim=True)
    kinds = (table > 0).double().sum(dim=-1, keepdim=True)
    mixed = ((table - discount).clamp(min=0) + discount * kinds * behind) / total.clamp(min=1)
    return torch.where(total > 0, mixed, behind)


def frequencies_behind(counts, discount=0.75):
    """P(w) from how often a token came, not from how many it came after: absolute discounting."""
    often = counts.sum(dim=0).double()
    uniform = torch.full_like(often, 1 / counts.shape[1])
    return _smooth(counts.double(), _smooth(often, uniform, discount), discount)


def kinds_after_instead_of_before(counts, discount=0.75):
    """The kinds of tokens that follow are counted for P(w) (padded or cut to V)."""
    after = (counts > 0).sum(dim=1).double()
    size = counts.shape[1]
    after = torch.nn.functional.pad(after, (0, max(0, size - len(after))))[:size]
    uniform = torch.full_like(after, 1 / size)
    return _smooth(counts.double(), _smooth(after, uniform, discount), discount)


def saved_once_a_row(counts, discount=0.75):
    """One discount is given back for each row, however many were taken."""
    before = (counts > 0).sum(dim=0).double()
    uniform = torch.full_like(before, 1 / counts.shape[1])
    behind = _smooth(before, uniform, discount)
    table = counts.double()
    total = table.sum(dim=-1, keepdim=True).clamp(min=1)
    return ((table - discount).clamp(min=0) + discount * behind) / total


def negative_counts(counts, discount=0.75):
    """What was never seen is discounted below zero."""
    before = (counts > 0).sum(dim=0).double()
    uniform = torch.full_like(before, 1 / counts.shape[1])
    behind = _smooth(before, uniform, discount)
    table = counts.double()
    total = table.sum(dim=-1, keepdim=True)
    kinds = (table > 0).double().sum(dim=-1, keepdim=True)
    mixed = (table - discount + discount * kinds * behind) / total.clamp(min=1)
    return torch.where(total > 0, mixed, behind)


def unknown_rows_are_zero(counts, discount=0.75):
    """A history without counts gives nothing to anybody."""
    before = (counts > 0).sum(dim=0).double()
    uniform = torch.full_like(before, 1 / counts.shape[1])
    behind = _smooth(before, uniform, discount)
    table = counts.double()
    kinds = (table > 0).double().sum(dim=-1, keepdim=True)
    total = table.sum(dim=-1, keepdim=True).clamp(min=1)
    return ((table - discount).clamp(min=0) + discount * kinds * behind) / total


def nothing_behind_the_unigram(counts, discount=0.75):
    """P(w) is the plain share of kinds, without a discount of its own."""
    before = (counts > 0).sum(dim=0).double()
    return _smooth(counts.double(), before / before.sum(), discount)
