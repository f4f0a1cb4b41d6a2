"""Plausible wrong answers to ex-09-2, YaRN's frequencies."""

import math

import torch


def _pair(turns, d_head, original, base):
    return d_head * math.log(original / (2 * math.pi * turns)) / (2 * math.log(base))


def _mix(d_head, factor, base, ramp):
    frequencies = base ** -(torch.arange(0, d_head, 2) / d_head)
    return ramp * frequencies / factor + (1 - ramp) * frequencies


def _ends(d_head, original, base, turns):
    first = max(math.floor(_pair(turns[0], d_head, original, base)), 0)
    last = min(math.ceil(_pair(turns[1], d_head, original, base)), d_head - 1)
    return first, last


def ramp_upside_down(d_head, factor, original, base=10_000.0, turns=(32.0, 1.0)):
    """Fast pairs are interpolated and slow ones left alone."""
    first, last = _ends(d_head, original, base, turns)
    ramp = ((torch.arange(d_head // 2) - first) / (last - first)).clamp(0, 1)
    return _mix(d_head, factor, base, 1 - ramp)


def no_clamp(d_head, factor, original, base=10_000.0, turns=(32.0, 1.0)):
    """The line runs on below 0 and above 1, so that some pairs turn backwards or faster."""
    first, last = _ends(d_head, original, base, turns)
    ramp = (torch.arange(d_head // 2) - first) / (last - first)
    return _mix(d_head, factor, base, ramp)


def a_step(d_head, factor, original, base=10_000.0, turns=(32.0, 1.0)):
    """No pair is mixed: it turns once or more and is kept, or it is interpolated."""
    pairs = torch.arange(d_head // 2)
    ramp = (pairs >= _pair(turns[1], d_head, original, base)).float()
    return _mix(d_head, factor, base, ramp)


def frequencies_per_feature(d_head, factor, original, base=10_000.0, turns=(32.0, 1.0)):
    """One frequency for each feature instead of each pair."""
    first, last = _ends(d_head, original, base, turns)
    ramp = ((torch.arange(d_head) // 2 - first) / (last - first)).clamp(0, 1)
    frequencies = base ** -(torch.arange(d_head) / d_head)
    return ramp * frequencies / factor + (1 - ramp) * frequencies


def turns_without_the_circle(d_head, factor, original, base=10_000.0, turns=(32.0, 1.0)):
    """A turn is taken to be one radian: 2 pi is forgotten."""
    round_ = 2 * math.pi
    first, last = _ends(d_head, original * round_, base, turns)
    ramp = ((torch.arange(d_head // 2) - first) / (last - first)).clamp(0, 1)
    return _mix(d_head, factor, base, ramp)


def ends_not_rounded(d_head, factor, original, base=10_000.0, turns=(32.0, 1.0)):
    """The ramp begins and ends between pairs, not at whole ones."""
    first = max(_pair(turns[0], d_head, original, base), 0)
    last = min(_pair(turns[1], d_head, original, base), d_head - 1)
    ramp = ((torch.arange(d_head // 2) - first) / (last - first)).clamp(0, 1)
    return _mix(d_head, factor, base, ramp)


def begins_before_the_first_pair(d_head, factor, original, base=10_000.0, turns=(32.0, 1.0)):
    """A negative beginning of the ramp is not lifted to 0, so that even pair 0 is slowed down."""
    first = math.floor(_pair(turns[0], d_head, original, base))
    last = min(math.ceil(_pair(turns[1], d_head, original, base)), d_head - 1)
    ramp = ((torch.arange(d_head // 2) - first) / (last - first)).clamp(0, 1)
    return _mix(d_head, factor, base, ramp)


def wavelengths_mixed(d_head, factor, original, base=10_000.0, turns=(32.0, 1.0)):
    """The wavelengths are mixed instead of the frequencies."""
    first, last = _ends(d_head, original, base, turns)
    ramp = ((torch.arange(d_head // 2) - first) / (last - first)).clamp(0, 1)
    lengths = base ** (torch.arange(0, d_head, 2) / d_head)
    return 1 / (ramp * lengths * factor + (1 - ramp) * lengths)
