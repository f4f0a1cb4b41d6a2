"""The chi-square test that every claim about random tokens goes through."""

from collections.abc import Callable

import pytest
import torch
from scipy.stats import chisquare

ALPHA = 1e-4


def follows(counts: torch.Tensor, probabilities: torch.Tensor) -> bool:
    """Whether counts are compatible with probabilities; cells below 5 expected are pooled."""
    expected = (probabilities.double() / probabilities.double().sum()) * counts.sum()
    if counts[expected == 0].any():
        return False  # what cannot happen has happened
    sparse = expected < 5
    pooled = [torch.cat([x[~sparse], x[sparse].sum()[None]]) for x in (counts.double(), expected)]
    if pooled[1][-1] < 5:  # the pool is sparse itself: it joins the smallest cell
        smallest = pooled[1][:-1].argmin()
        for x in pooled:
            x[smallest] += x[-1]
        pooled = [x[:-1] for x in pooled]
    if len(pooled[0]) < 2:
        raise ValueError("expected at least two cells, or the test cannot fail")
    return bool(chisquare(pooled[0].numpy(), pooled[1].numpy()).pvalue > ALPHA)


@pytest.fixture
def follows_distribution() -> Callable[[torch.Tensor, torch.Tensor], bool]:
    return follows
