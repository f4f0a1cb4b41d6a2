"""Plausible wrong answers to ex-10-8, the acceptance rule."""


def redraws_from_the_target(drafted, q, p, uniforms):
    """After a rejection the token comes from p, which gives the draft's favourites too much."""
    for i, token in enumerate(drafted):
        if uniforms[i] * q[i, token] >= p[i, token]:
            return i, p[i]
    return len(drafted), p[-1]


def ratio_upside_down(drafted, q, p, uniforms):
    """A token is accepted with q / p."""
    for i, token in enumerate(drafted):
        if uniforms[i] * p[i, token] >= q[i, token]:
            missing = (p[i] - q[i]).clamp(min=0)
            return i, missing / missing.sum()
    return len(drafted), p[-1]


def not_normalised(drafted, q, p, uniforms):
    """What is missing is returned as it is; it does not sum to 1."""
    for i, token in enumerate(drafted):
        if uniforms[i] * q[i, token] >= p[i, token]:
            return i, (p[i] - q[i]).clamp(min=0)
    return len(drafted), p[-1]


def absolute_difference(drafted, q, p, uniforms):
    """What the draft had too much of is given to it once more."""
    for i, token in enumerate(drafted):
        if uniforms[i] * q[i, token] >= p[i, token]:
            missing = (p[i] - q[i]).abs()
            return i, missing / missing.sum()
    return len(drafted), p[-1]


def goes_on_after_a_rejection(drafted, q, p, uniforms):
    """Tokens behind a rejected one are counted, though their context is gone."""
    rejected = [i for i, token in enumerate(drafted) if uniforms[i] * q[i, token] >= p[i, token]]
    if not rejected:
        return len(drafted), p[-1]
    missing = (p[rejected[0]] - q[rejected[0]]).clamp(min=0)
    return len(drafted) - len(rejected), missing / missing.sum()


def last_drafted_again(drafted, q, p, uniforms):
    """If all are accepted, the distribution of the last drafted token is used once more."""
    for i, token in enumerate(drafted):
        if uniforms[i] * q[i, token] >= p[i, token]:
            missing = (p[i] - q[i]).clamp(min=0)
            return i, missing / missing.sum()
    return len(drafted), p[max(len(drafted) - 1, 0)]


def accepts_what_cannot_be(drafted, q, p, uniforms):
    """With u = 0 a token is accepted that the target never writes."""
    for i, token in enumerate(drafted):
        if uniforms[i] * q[i, token] > p[i, token]:
            missing = (p[i] - q[i]).clamp(min=0)
            return i, missing / missing.sum()
    return len(drafted), p[-1]
