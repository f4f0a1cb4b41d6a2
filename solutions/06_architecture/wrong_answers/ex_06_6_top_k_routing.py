"""Plausible wrong answers to ex-06-6, top-k routing."""

import torch


def logits_as_weights(logits, top_k, renormalise=True):
    """The logits themselves are the weights: no softmax."""
    weights, experts = logits.float().topk(top_k, dim=-1)
    if renormalise:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return experts, weights


def never_renormalised(logits, top_k, renormalise=True):
    """The weights stay the probabilities among all experts."""
    weights, experts = logits.softmax(dim=-1).topk(top_k, dim=-1)
    return experts, weights


def always_renormalised(logits, top_k, renormalise=True):
    """The argument is accepted and never looked at."""
    best, experts = logits.topk(top_k, dim=-1)
    return experts, best.softmax(dim=-1)


def softmax_over_tokens(logits, top_k, renormalise=True):
    """The softmax runs down the tokens: experts compete for nobody."""
    weights, experts = logits.softmax(dim=0).topk(top_k, dim=-1)
    if renormalise:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return experts, weights


def smallest(logits, top_k, renormalise=True):
    """The worst experts are chosen."""
    best, experts = logits.topk(top_k, dim=-1, largest=False)
    if renormalise:
        return experts, best.softmax(dim=-1)
    return experts, logits.softmax(dim=-1).gather(1, experts)


def pair_the_other_way_round(logits, top_k, renormalise=True):
    """Weights first, experts second."""
    weights, experts = logits.softmax(dim=-1).topk(top_k, dim=-1)
    if renormalise:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights, experts


def best_last(logits, top_k, renormalise=True):
    """The chosen experts come in ascending order."""
    weights, experts = logits.softmax(dim=-1).topk(top_k, dim=-1)
    if renormalise:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return experts.flip(-1), weights.flip(-1)


def equal_weights(logits, top_k, renormalise=True):
    """Every chosen expert gets the same weight."""
    experts = logits.topk(top_k, dim=-1).indices
    return experts, torch.full(experts.shape, 1 / top_k)


def naive_softmax(logits, top_k, renormalise=True):
    """Exponentials without subtracting the maximum: large logits overflow."""
    scores = logits.double().exp()
    weights, experts = (scores / scores.sum(dim=-1, keepdim=True)).topk(top_k, dim=-1)
    if renormalise:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return experts, weights


def narrow(logits, top_k, renormalise=True):
    """The precision of the logits is kept, however low it is."""
    weights, experts = logits.softmax(dim=-1).topk(top_k, dim=-1)
    if renormalise:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return experts, weights
