"""Plausible wrong answers to ex-10-5, min-p and the draw."""


def _kept(probabilities, p):
    highest = probabilities.amax(dim=-1, keepdim=True)
    return probabilities.masked_fill(probabilities < p * highest, 0.0)


def _drawn(q, uniform):
    sums = q.cumsum(dim=-1)
    return (sums <= uniform[:, None] * sums[:, -1:]).sum(dim=-1)


def an_absolute_threshold(logits, temperature, p, uniform):
    """Probabilities below p go, whatever the highest is."""
    q = (logits.double() / temperature).softmax(dim=-1)
    return _drawn(q.masked_fill((q < p) & (q < q.amax(dim=-1, keepdim=True)), 0.0), uniform)


def filtered_before_the_temperature(logits, temperature, p, uniform):
    """Min-p judges the probabilities at temperature 1."""
    kept = _kept(logits.double().softmax(dim=-1), p) > 0
    return _drawn((logits.double() / temperature).softmax(dim=-1) * kept, uniform)


def not_scaled(logits, temperature, p, uniform):
    """The threshold is u itself, though the kept probabilities sum to less than 1."""
    sums = _kept((logits.double() / temperature).softmax(dim=-1), p).cumsum(dim=-1)
    return (sums <= uniform[:, None]).sum(dim=-1).clamp(max=logits.shape[-1] - 1)


def removed_tokens_at_zero(logits, temperature, p, uniform):
    """u = 0 draws the first token even if its probability is 0."""
    sums = _kept((logits.double() / temperature).softmax(dim=-1), p).cumsum(dim=-1)
    return (sums < uniform[:, None] * sums[:, -1:]).sum(dim=-1)


def single_precision(logits, temperature, p, uniform):
    """The sums are taken in single precision."""
    return _drawn(_kept((logits.float() / temperature).softmax(dim=-1), p), uniform)


def the_likeliest_first(logits, temperature, p, uniform):
    """The pieces are lined up by size, and the rank is returned."""
    q = _kept((logits.double() / temperature).softmax(dim=-1), p)
    return _drawn(q.sort(dim=-1, descending=True).values, uniform)


def ties_with_the_limit_go(logits, temperature, p, uniform):
    """A token of exactly p times the highest goes, and p = 1 keeps none."""
    q = (logits.double() / temperature).softmax(dim=-1)
    q = q.masked_fill(q <= p * q.amax(dim=-1, keepdim=True), 0.0)
    return _drawn(q, uniform).clamp(max=logits.shape[-1] - 1)
