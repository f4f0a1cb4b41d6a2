"""Plausible wrong answers to ex-10-4, the repetition penalty."""

import torch


def always_divided(logits, counts, penalty):
    """Negative logits are divided as well, which makes those tokens likelier."""
    return torch.where(counts > 0, logits / penalty, logits)


def once_for_each_time(logits, counts, penalty):
    """A token that occurred three times is penalised three times."""
    factor = penalty ** counts.float()
    return torch.where(logits < 0, logits * factor, logits / factor)


def subtracted(logits, counts, penalty):
    """The penalty is subtracted: a presence penalty."""
    return logits - penalty * (counts > 0)


def changes_its_input(logits, counts, penalty):
    """The tensor that was given is changed."""
    seen = counts > 0
    logits[seen] = torch.where(logits[seen] < 0, logits[seen] * penalty, logits[seen] / penalty)
    return logits


def everything_is_penalised(logits, counts, penalty):
    """All tokens are penalised, whether they occurred or not."""
    return torch.where(logits < 0, logits * penalty, logits / penalty)


def signs_swapped(logits, counts, penalty):
    """Positive logits are multiplied, negative ones divided: repetition is favoured."""
    penalised = torch.where(logits < 0, logits / penalty, logits * penalty)
    return torch.where(counts > 0, penalised, logits)


def twice_or_more_only(logits, counts, penalty):
    """A token is penalised only from its second time on."""
    penalised = torch.where(logits < 0, logits * penalty, logits / penalty)
    return torch.where(counts > 1, penalised, logits)
