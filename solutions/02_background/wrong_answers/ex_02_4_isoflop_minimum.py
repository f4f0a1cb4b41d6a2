"""Plausible wrong answers to ex-02-4, the bottom of an IsoFLOP profile."""

import math

import numpy as np


def best_run(n_parameters, losses):
    """The size of the best run; no parabola."""
    square, _, _ = np.polyfit(np.log(n_parameters), losses, deg=2)
    if square <= 0:
        raise ValueError("losses: expected a curve with a bottom.")
    return float(n_parameters[int(np.argmin(losses))])


def over_the_sizes(n_parameters, losses):
    """The parabola over N itself, not over its logarithm."""
    square, slope, _ = np.polyfit(n_parameters, losses, deg=2)
    if square <= 0:
        raise ValueError("losses: expected a curve with a bottom.")
    return float(-slope / (2 * square))


def logarithm_returned(n_parameters, losses):
    """The logarithm of the size."""
    square, slope, _ = np.polyfit(np.log(n_parameters), losses, deg=2)
    if square <= 0:
        raise ValueError("losses: expected a curve with a bottom.")
    return float(-slope / (2 * square))


def decimal_logarithm_undone_by_e(n_parameters, losses):
    """Logarithms to base ten, exponential to base e."""
    square, slope, _ = np.polyfit(np.log10(n_parameters), losses, deg=2)
    if square <= 0:
        raise ValueError("losses: expected a curve with a bottom.")
    return math.exp(-slope / (2 * square))


def constants_backwards(n_parameters, losses):
    """polyfit's constants read from the wrong end."""
    _, slope, square = np.polyfit(np.log(n_parameters), losses, deg=2)
    if square <= 0:
        raise ValueError("losses: expected a curve with a bottom.")
    return math.exp(-slope / (2 * square))


def any_bend(n_parameters, losses):
    """A curve that bends downwards gives its highest point."""
    square, slope, _ = np.polyfit(np.log(n_parameters), losses, deg=2)
    return math.exp(-slope / (2 * square))
