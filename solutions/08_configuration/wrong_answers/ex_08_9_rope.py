"""Plausible wrong answers to ex-08-9, rotary position embedding."""

import torch


def _rotate(x, positions, inverse_frequencies, pairing, sign=1.0, forget=False):
    if pairing not in ("interleaved", "half_split"):
        raise ValueError("pairing: expected interleaved or half_split.")
    angles = positions[:, None] * inverse_frequencies
    cosine, sine = angles.cos(), sign * angles.sin()
    split = (x[..., 0::2], x[..., 1::2]) if pairing == "interleaved" else x.chunk(2, dim=-1)
    first = split[0] * cosine - split[1] * sine
    second = split[1] * cosine + (first if forget else split[0]) * sine
    if pairing == "interleaved":
        return torch.stack((first, second), dim=-1).flatten(-2)
    return torch.cat((first, second), dim=-1)


def turned_backwards(x, positions, inverse_frequencies, pairing):
    """The sine has the wrong sign, so every pair turns the other way."""
    return _rotate(x, positions, inverse_frequencies, pairing, sign=-1.0)


def always_interleaved(x, positions, inverse_frequencies, pairing):
    """The pairing is accepted and never used: neighbours are always a pair."""
    if pairing not in ("interleaved", "half_split"):
        raise ValueError("pairing: expected interleaved or half_split.")
    return _rotate(x, positions, inverse_frequencies, "interleaved")


def overwritten_halfway(x, positions, inverse_frequencies, pairing):
    """The second feature is computed from the first one's new value."""
    return _rotate(x, positions, inverse_frequencies, pairing, forget=True)


def put_back_the_other_way(x, positions, inverse_frequencies, pairing):
    """Neighbours are taken as pairs and laid down as halves: features change places."""
    turned = _rotate(x, positions, inverse_frequencies, pairing)
    if pairing == "interleaved":
        return torch.cat((turned[..., 0::2], turned[..., 1::2]), dim=-1)
    return turned


def one_speed(x, positions, inverse_frequencies, pairing):
    """Every pair turns at the speed of the first."""
    same = inverse_frequencies[:1].expand_as(inverse_frequencies)
    return _rotate(x, positions, same, pairing)


def unknown_pairing_taken(x, positions, inverse_frequencies, pairing):
    """Right for both pairings; any other word is taken for half_split in silence."""
    known = pairing if pairing == "interleaved" else "half_split"
    return _rotate(x, positions, inverse_frequencies, known)
