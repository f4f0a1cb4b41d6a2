"""Plausible wrong answers to ex-10-4, the repetition penalty."""

import torch


def always_divided(logits, tokens, penalty):
    """Negative logits are divided as well, which makes those tokens likelier."""
    result = logits.clone()
    ids = torch.tensor(tokens, dtype=torch.int64)
    result[ids] = logits[ids] / penalty
    return result


def once_for_each_time(logits, tokens, penalty):
    """A token that occurred three times is penalised three times."""
    result = logits.clone()
    for token in tokens:
        result[token] = result[token] * penalty if result[token] < 0 else result[token] / penalty
    return result


def subtracted(logits, tokens, penalty):
    """The penalty is subtracted: a presence penalty."""
    result = logits.clone()
    result[torch.tensor(tokens, dtype=torch.int64)] -= penalty
    return result


def changes_its_input(logits, tokens, penalty):
    """The tensor that was given is changed."""
    ids = torch.tensor(tokens, dtype=torch.int64)
    seen = logits[ids]
    logits[ids] = torch.where(seen < 0, seen * penalty, seen / penalty)
    return logits


def everything_is_penalised(logits, tokens, penalty):
    """All tokens are penalised, whether they occurred or not."""
    return torch.where(logits < 0, logits * penalty, logits / penalty)


def signs_swapped(logits, tokens, penalty):
    """Positive logits are multiplied, negative ones divided: repetition is favoured."""
    ids = torch.tensor(tokens, dtype=torch.int64)
    seen, result = logits[ids], logits.clone()
    result[ids] = torch.where(seen < 0, seen / penalty, seen * penalty)
    return result


def the_last_token_only(logits, tokens, penalty):
    """Only the newest token is penalised."""
    result = logits.clone()
    if tokens:
        last = tokens[-1]
        result[last] = result[last] * penalty if result[last] < 0 else result[last] / penalty
    return result
