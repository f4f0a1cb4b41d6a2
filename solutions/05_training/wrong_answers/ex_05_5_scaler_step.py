"""Plausible wrong answers to ex-05-5, a dynamic loss scaler."""


def _finite(gradients):
    return all(bool(g.isfinite().all()) for g in gradients)


def used_although_infinite(gradients, scale, good_steps, growth_interval=2000):
    """The scale is halved, but the infinite gradients are used all the same."""
    unscaled = [g.float() / scale for g in gradients]
    if not _finite(gradients):
        return unscaled, scale / 2, 0
    if good_steps + 1 < growth_interval:
        return unscaled, scale, good_steps + 1
    return unscaled, scale * 2, 0


def nan_not_seen(gradients, scale, good_steps, growth_interval=2000):
    """Only infinity counts as overflow; a NaN passes."""
    if any(bool(g.isinf().any()) for g in gradients):
        return None, scale / 2, 0
    unscaled = [g.float() / scale for g in gradients]
    if good_steps + 1 < growth_interval:
        return unscaled, scale, good_steps + 1
    return unscaled, scale * 2, 0


def first_tensor_only(gradients, scale, good_steps, growth_interval=2000):
    """Overflow is looked for in the first weight alone."""
    if not _finite(gradients[:1]):
        return None, scale / 2, 0
    unscaled = [g.float() / scale for g in gradients]
    if good_steps + 1 < growth_interval:
        return unscaled, scale, good_steps + 1
    return unscaled, scale * 2, 0


def divided_in_sixteen_bits(gradients, scale, good_steps, growth_interval=2000):
    """The division comes before the conversion, and underflows what the scale had saved."""
    if not _finite(gradients):
        return None, scale / 2, 0
    unscaled = [(g / scale).float() for g in gradients]
    if good_steps + 1 < growth_interval:
        return unscaled, scale, good_steps + 1
    return unscaled, scale * 2, 0


def divided_by_the_next_scale(gradients, scale, good_steps, growth_interval=2000):
    """The scale is updated first, and the gradients are divided by the new one."""
    if not _finite(gradients):
        return None, scale / 2, 0
    good_steps += 1
    if good_steps == growth_interval:
        scale, good_steps = scale * 2, 0
    return [g.float() / scale for g in gradients], scale, good_steps


def count_goes_on(gradients, scale, good_steps, growth_interval=2000):
    """An overflow halves the scale but leaves the count, which is not of steps in a row then."""
    if not _finite(gradients):
        return None, scale / 2, good_steps
    unscaled = [g.float() / scale for g in gradients]
    if good_steps + 1 < growth_interval:
        return unscaled, scale, good_steps + 1
    return unscaled, scale * 2, 0


def one_step_too_late(gradients, scale, good_steps, growth_interval=2000):
    """The scale grows in the step after the interval."""
    if not _finite(gradients):
        return None, scale / 2, 0
    unscaled = [g.float() / scale for g in gradients]
    if good_steps < growth_interval:
        return unscaled, scale, good_steps + 1
    return unscaled, scale * 2, 0


def multiplied(gradients, scale, good_steps, growth_interval=2000):
    """The gradients are scaled once more instead of back."""
    if not _finite(gradients):
        return None, scale / 2, 0
    unscaled = [g.float() * scale for g in gradients]
    if good_steps + 1 < growth_interval:
        return unscaled, scale, good_steps + 1
    return unscaled, scale * 2, 0
