"""A mixture of finite sources written out: which documents, how often, and in what order.

A sampler draws at random, so some documents come twice before others come once. A corpus that is
built once can do better: each source gives exactly its share of the tokens, every document of it
as often as every other (give or take one), and the order of all is shuffled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from llm_course.data.mixture.chance import permutation
from llm_course.data.mixture.sampler import epoch_order
from llm_course.data.mixture.weights import check_weights


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The documents of a mixture, in their order.

    Args:
        names: the sources.
        sources: for each place of the order, which of the names.
        documents: for each place, which document of that source.

    Shapes:
        sources, documents ``n``, int64.
    """

    names: tuple[str, ...]
    sources: np.ndarray
    documents: np.ndarray

    def __len__(self) -> int:
        """How many documents are read, repetitions counted."""
        return len(self.sources)


def take(lengths: np.ndarray, quota: float, seed: int, name: str) -> np.ndarray:
    """Documents of one source in random order, epoch by epoch, until their tokens reach a quota.

    The last document is taken if that comes closer to the quota than leaving it.

    Args:
        lengths: the tokens of each document.
        quota: how many tokens are wanted.
        seed: of the order.
        name: the source's.

    Shapes:
        lengths ``n``; returns the indices of the documents, int64.

    Raises:
        ValueError: there is not one token to take.

    >>> sorted(take(np.array([10, 10, 10]), quota=30, seed=0, name="web").tolist())
    [0, 1, 2]
    >>> len(take(np.array([10, 10, 10]), quota=64, seed=0, name="web"))  # twice all is 60
    6
    """
    total = int(np.sum(lengths))
    if total == 0:
        raise ValueError(f"source {name}: expected at least one token, got none.")
    n_epochs, rest = divmod(quota, total)
    *whole, last = (
        epoch_order(len(lengths), seed, name, epoch) for epoch in range(int(n_epochs) + 1)
    )
    ends = np.cumsum(lengths[last])
    middles = ends - lengths[last] / 2
    # A document counts if the quota lies beyond its middle.
    return np.concatenate([*whole, last[: np.searchsorted(middles, rest, side="left")]])


def plan_mixture(
    lengths: Mapping[str, np.ndarray],
    weights: Mapping[str, float],
    n_tokens: int | None = None,
    seed: int = 0,
) -> Plan:
    """Write out a mixture whose **tokens** have the shares that the weights say.

    Args:
        lengths: for each source, the tokens of each of its documents.
        weights: the share of the tokens of each source.
        n_tokens: how many tokens the mixture has, to within half a document of each source; as
            many as there are if not given. With proportional weights every document then comes
            exactly once.
        seed: of the order.

    Shapes:
        lengths ``n`` each.

    Raises:
        ValueError: the names differ, the weights are no shares, a source that is wanted is empty.

    >>> plan = plan_mixture({"a": np.array([5, 5]), "b": np.array([10])}, {"a": 0.5, "b": 0.5})
    >>> sorted(zip(plan.sources.tolist(), plan.documents.tolist()))
    [(0, 0), (0, 1), (1, 0)]
    """
    check_weights(weights)
    if set(weights) != set(lengths):
        raise ValueError(f"weights: expected the sources {sorted(lengths)}, got {sorted(weights)}.")
    total = sum(int(np.sum(counts)) for counts in lengths.values())
    n_tokens = total if n_tokens is None else n_tokens
    if n_tokens < 1:
        raise ValueError(f"n_tokens: expected at least 1, got {n_tokens}.")
    parts = [
        # Rounded: 0.3 * 10 is not exactly 3, and a document hangs on it.
        take(counts, round(weights[name] * n_tokens, 6), seed, name)
        if weights[name] > 0
        else np.zeros(0, dtype=np.int64)
        for name, counts in lengths.items()
    ]
    sources = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = permutation(len(sources), seed, "plan")
    return Plan(
        names=tuple(lengths), sources=sources[order], documents=np.concatenate(parts)[order]
    )
