"""Plausible wrong answers to ex-10-1, temperature and top-k."""

import math

import torch


def _top_k(logits, k):
    smallest = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < smallest, -math.inf)


def multiplied(logits, temperature, k):
    """The logits are multiplied by the temperature: hot is cold."""
    return _top_k(logits * temperature, k).softmax(dim=-1)


def zero_instead_of_minus_infinity(logits, temperature, k):
    """A removed token gets the logit 0, which is higher than many that stay."""
    kept = _top_k(logits / temperature, k)
    return kept.masked_fill(kept.isinf(), 0.0).softmax(dim=-1)


def not_normalised(logits, temperature, k):
    """The removed probabilities become 0, and the others are not scaled to 1."""
    probabilities = (logits / temperature).softmax(dim=-1)
    return probabilities * _top_k(logits, k).isfinite()


def temperature_of_the_probabilities(logits, temperature, k):
    """The probabilities are divided, which normalising undoes."""
    probabilities = _top_k(logits, k).softmax(dim=-1) / temperature
    return probabilities / probabilities.sum(dim=-1, keepdim=True)


def ties_are_lost(logits, temperature, k):
    """Exactly k tokens stay, whatever ties with the last of them."""
    scaled = logits / temperature
    best = scaled.topk(min(k, scaled.shape[-1]))
    kept = torch.full_like(scaled, -math.inf).scatter(-1, best.indices, best.values)
    return kept.softmax(dim=-1)


def one_more(logits, temperature, k):
    """The limit is the next token after the k likeliest, which then stays as well."""
    return _top_k(logits / temperature, k + 1).softmax(dim=-1)


def large_k_fails(logits, temperature, k):
    """A k above the size of the vocabulary is an error."""
    smallest = (logits / temperature).topk(k).values[..., -1:]
    return (logits / temperature).masked_fill(
        logits / temperature < smallest, -math.inf
    ).softmax(dim=-1)  # fmt: skip
