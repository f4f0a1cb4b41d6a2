"""Plausible wrong answers to ex-09-1, the angles of interpolated positions."""

import torch


def _check(original, target):
    if target < original:
        raise ValueError(f"target: expected at least original={original}, got {target}.")


def stretched_further(positions, frequencies, original, target):
    """The coefficient is upside down, so that positions lie further out instead of closer."""
    _check(original, target)
    return positions[:, None] * frequencies * target / original


def whole_positions(positions, frequencies, original, target):
    """Positions are whole numbers, it seems, so the interpolated ones are rounded down."""
    _check(original, target)
    return (positions * original // target)[:, None] * frequencies


def cut_off(positions, frequencies, original, target):
    """All positions past the trained ones get the last of them."""
    _check(original, target)
    return positions.clamp(max=original - 1)[:, None] * frequencies


def wrapped_round(positions, frequencies, original, target):
    """Past the trained length, counting begins again at 0."""
    _check(original, target)
    return (positions % original)[:, None] * frequencies


def larger_base(positions, frequencies, original, target):
    """The first pair is left alone and only the last is slowed down, as NTK scaling does."""
    _check(original, target)
    share = torch.arange(len(frequencies)) / max(len(frequencies) - 1, 1)
    return positions[:, None] * frequencies * (original / target) ** share


def pairs_down_the_side(positions, frequencies, original, target):
    """Rows and columns are swapped: one row for each pair."""
    _check(original, target)
    return frequencies[:, None] * positions * original / target


def shorter_is_fine(positions, frequencies, original, target):
    """Right, but a target below the original spreads positions over angles nobody trained."""
    return positions[:, None] * frequencies * original / target


def equal_is_an_error(positions, frequencies, original, target):
    """A target equal to the original is refused, although nothing has to be done then."""
    if target <= original:
        raise ValueError("target: expected more than the original.")
    return positions[:, None] * frequencies * original / target
