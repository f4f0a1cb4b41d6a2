"""Plausible wrong answers to ex-01-3, the masking of BERT."""

import torch

from llm_course.training.loss import IGNORE


def _chosen(tokens, chance, share, special_ids):
    return (chance < share) & ~torch.isin(tokens, torch.tensor(special_ids))


def always_hidden(tokens, chance, fate, drawn, mask_id, share=0.15, special_ids=()):
    """Every chosen token becomes the mask."""
    chosen = _chosen(tokens, chance, share, special_ids)
    return torch.where(chosen, mask_id, tokens), torch.where(chosen, tokens, IGNORE)


def asks_for_everything(tokens, chance, fate, drawn, mask_id, share=0.15, special_ids=()):
    """The targets hold all tokens."""
    chosen = _chosen(tokens, chance, share, special_ids)
    inputs = torch.where(chosen & (fate < 0.9), drawn, tokens)
    return torch.where(chosen & (fate < 0.8), mask_id, inputs), tokens.clone()


def asks_for_the_hidden_only(tokens, chance, fate, drawn, mask_id, share=0.15, special_ids=()):
    """What was changed or left is not asked for."""
    chosen = _chosen(tokens, chance, share, special_ids)
    hidden = chosen & (fate < 0.8)
    inputs = torch.where(chosen & (fate < 0.9), drawn, tokens)
    return torch.where(hidden, mask_id, inputs), torch.where(hidden, tokens, IGNORE)


def special_tokens_too(tokens, chance, fate, drawn, mask_id, share=0.15, special_ids=()):
    """Padding may be chosen."""
    chosen = chance < share
    inputs = torch.where(chosen & (fate < 0.9), drawn, tokens)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, inputs)
    return inputs, torch.where(chosen, tokens, IGNORE)


def none_is_left(tokens, chance, fate, drawn, mask_id, share=0.15, special_ids=()):
    """Those that are not hidden are all changed."""
    chosen = _chosen(tokens, chance, share, special_ids)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, torch.where(chosen, drawn, tokens))
    return inputs, torch.where(chosen, tokens, IGNORE)


def writes_into_the_text(tokens, chance, fate, drawn, mask_id, share=0.15, special_ids=()):
    """The masks are written into the caller's tensor."""
    chosen = _chosen(tokens, chance, share, special_ids)
    targets = torch.where(chosen, tokens, IGNORE)
    changed = chosen & (fate >= 0.8) & (fate < 0.9)
    tokens[chosen & (fate < 0.8)] = mask_id
    tokens[changed] = drawn[changed]
    return tokens, targets


def share_ignored(tokens, chance, fate, drawn, mask_id, share=0.15, special_ids=()):
    """Always 15 per cent, whatever is asked."""
    chosen = _chosen(tokens, chance, 0.15, special_ids)
    inputs = torch.where(chosen & (fate < 0.9), drawn, tokens)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, inputs)
    return inputs, torch.where(chosen, tokens, IGNORE)
