"""Plausible wrong answers to ex-02-3, the best split of a budget."""


def _refuse(flops):
    if flops <= 0:
        raise ValueError("flops: expected a positive number.")


def exponents_exchanged(flops, law):
    """N grows with alpha's share of the exponents."""
    _refuse(flops)
    _, A, B, alpha, beta = law
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    n = G * (flops / 6) ** (alpha / (alpha + beta))
    return n, flops / 6 / n


def six_forgotten(flops, law):
    """The budget is taken to be N D."""
    _refuse(flops)
    _, A, B, alpha, beta = law
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    n = G * flops ** (beta / (alpha + beta))
    return n, flops / n


def twenty_tokens_a_weight(flops, law):
    """The rule of thumb, whatever the law."""
    _refuse(flops)
    n = (flops / 120) ** 0.5
    return n, 20 * n


def without_the_exponents_in_g(flops, law):
    """G compares A and B and forgets how steep each term is."""
    _refuse(flops)
    _, A, B, alpha, beta = law
    G = (A / B) ** (1 / (alpha + beta))
    n = G * (flops / 6) ** (beta / (alpha + beta))
    return n, flops / 6 / n


def both_terms_equal(flops, law):
    """The split at which both sums are equal, not their slopes."""
    _refuse(flops)
    _, A, B, alpha, beta = law
    n = (A / B * (flops / 6) ** beta) ** (1 / (alpha + beta))
    return n, flops / 6 / n


def any_budget(flops, law):
    """A budget that is not positive is not refused."""
    _, A, B, alpha, beta = law
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    n = G * (max(flops, 1e-9) / 6) ** (beta / (alpha + beta))
    return n, flops / 6 / n
