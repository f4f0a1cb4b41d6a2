"""Plausible wrong answers to ex-05-3, accumulation and clipping."""

import math


def _combined(parts, shares):
    return [sum(g * k for g, k in zip(grads, shares)) for grads in zip(*parts)]  # noqa: B905


def _norm(gradients):
    return math.sqrt(sum(float((g**2).sum()) for g in gradients))


def _clipped(gradients, max_norm):
    factor = min(1.0, max_norm / (_norm(gradients) + 1e-6))
    return [g * factor for g in gradients]


def mean_of_the_parts(parts, n_targets, max_norm):
    """Every part counts alike, however few targets it has."""
    whole = _combined(parts, [1 / len(parts)] * len(parts))
    return _clipped(whole, max_norm), _norm(whole)


def sum_of_the_parts(parts, n_targets, max_norm):
    """The gradients are added, and not divided: more parts, longer gradient."""
    whole = _combined(parts, [1.0] * len(parts))
    return _clipped(whole, max_norm), _norm(whole)


def clipped_part_by_part(parts, n_targets, max_norm):
    """Each part is clipped before it is added."""
    shares = [k / sum(n_targets) for k in n_targets]
    norm = _norm(_combined(parts, shares))
    return _combined([_clipped(part, max_norm) for part in parts], shares), norm


def each_weight_by_itself(parts, n_targets, max_norm):
    """Each weight's gradient has a norm of its own: the direction of the whole changes."""
    whole = _combined(parts, [k / sum(n_targets) for k in n_targets])
    return [_clipped([g], max_norm)[0] for g in whole], _norm(whole)


def each_number_by_itself(parts, n_targets, max_norm):
    """Every number is cut off at the limit: clipping by value, not by norm."""
    whole = _combined(parts, [k / sum(n_targets) for k in n_targets])
    return [g.clamp(-max_norm, max_norm) for g in whole], _norm(whole)


def lengthened_too(parts, n_targets, max_norm):
    """Short gradients are brought to the limit as well."""
    whole = _combined(parts, [k / sum(n_targets) for k in n_targets])
    norm = _norm(whole)
    return [g * (max_norm / (norm + 1e-6)) for g in whole], norm


def norm_after_clipping(parts, n_targets, max_norm):
    """The norm that is returned is that of the clipped gradient: no spike is ever seen."""
    whole = _clipped(_combined(parts, [k / sum(n_targets) for k in n_targets]), max_norm)
    return whole, _norm(whole)
