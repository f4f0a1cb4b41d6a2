"""A seeded sampler over sources, which goes on exactly where it stopped.

What it draws is a function of the seed, the weights and the step. Weights may change on the way
(``adapting``): the random numbers stay those of their steps. Leaves out reading ahead and several
workers.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, Generic, TypeVar

import numpy as np

from llm_course.data.mixture.chance import permutation, uniform
from llm_course.data.mixture.weights import check_weights

T = TypeVar("T")


def draw_source(weights: Mapping[str, float], number: float) -> str:
    """The source at a uniform number: the unit interval is cut into one piece for each weight.

    Args:
        weights: the shares.
        number: in [0, 1).

    >>> [draw_source({"web": 0.75, "code": 0.25}, u) for u in (0.0, 0.74, 0.75)]
    ['web', 'web', 'code']
    """
    names = [name for name, weight in weights.items() if weight > 0]
    ends = list(accumulate(weights[name] for name in names))
    # Scaled by the sum, which may be a hair off 1.
    return names[min(bisect_right(ends, number * ends[-1]), len(names) - 1)]


@lru_cache(maxsize=64)
def epoch_order(n: int, seed: int, name: str, epoch: int) -> np.ndarray:
    """In which order a source's ``n`` items are drawn in an epoch.

    Shapes:
        returns ``n``, int64, not to be written to.
    """
    order = permutation(n, seed, f"{name}/epoch {epoch}")
    order.setflags(write=False)
    return order


def item_at(count: int, n: int, seed: int, name: str) -> int:
    """Which of a source's ``n`` items is the ``count``-th to be drawn, from 0.

    Every item once in random order, then every item once in another order, and so on.

    Raises:
        ValueError: the source is empty.

    >>> sorted(item_at(count, 3, seed=0, name="web") for count in range(3, 6))
    [0, 1, 2]
    """
    if n < 1:
        raise ValueError(f"source {name}: expected at least one item, got {n}.")
    epoch, place = divmod(count, n)
    return int(epoch_order(n, seed, name, epoch)[place])


@dataclass(frozen=True)
class Draw(Generic[T]):
    """One item drawn.

    Args:
        source: where it comes from.
        index: its place there.
        item: the item.
    """

    source: str
    index: int
    item: T


class MixtureSampler(Generic[T]):
    """Items of several sources, each source as often as its weight says.

    Args:
        sources: for each name its items; a source that is used up begins again in another order.
        weights: the share of the draws of each source.
        seed: of all that is random.

    Raises:
        ValueError: the names differ, a source is empty, or the weights are no shares.

    >>> sampler = MixtureSampler({"a": "xyz", "b": "pq"}, {"a": 0.6, "b": 0.4}, seed=0)
    >>> first = [next(sampler).item for _ in range(5)]
    >>> state = sampler.state()
    >>> second = [next(sampler).item for _ in range(5)]
    >>> again = MixtureSampler({"a": "xyz", "b": "pq"}, {"a": 0.6, "b": 0.4}, seed=0)
    >>> again.restore(state)
    >>> [next(again).item for _ in range(5)] == second
    True
    """

    def __init__(
        self, sources: Mapping[str, Sequence[T]], weights: Mapping[str, float], seed: int
    ) -> None:
        self.sources, self.seed, self.step = dict(sources), seed, 0
        self.drawn = dict.fromkeys(self.sources, 0)
        self.set_weights(weights)

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Use other weights from the next draw on.

        Raises:
            ValueError: the names are not those of the sources, or the weights are no shares.
        """
        check_weights(weights)
        if set(weights) != set(self.sources):
            raise ValueError(
                f"weights: expected the sources {sorted(self.sources)}, got {sorted(weights)}."
            )
        for name, items in self.sources.items():
            if weights[name] > 0 and len(items) == 0:
                raise ValueError(
                    f"source {name}: expected at least one item, got 0. Fix: leave it out."
                )
        # In the order of the sources, whatever the order in which the weights come.
        self.weights = {name: float(weights[name]) for name in self.sources}

    def __iter__(self) -> Iterator[Draw[T]]:
        return self

    def __next__(self) -> Draw[T]:
        name = draw_source(self.weights, uniform(self.seed, "mixture", self.step))
        items = self.sources[name]
        index = item_at(self.drawn[name], len(items), self.seed, name)
        drawn = Draw(name, index, items[index])
        self.step += 1
        self.drawn[name] += 1
        return drawn

    def state(self) -> dict[str, Any]:
        """Where it stands, as plain values that JSON keeps."""
        return {
            "seed": self.seed,
            "step": self.step,
            "drawn": dict(self.drawn),
            "weights": dict(self.weights),
            "sizes": {name: len(items) for name, items in self.sources.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            ValueError: the state is that of other sources or another seed, or does not add up.
        """
        sizes = {name: len(items) for name, items in self.sources.items()}
        for key, here in (("seed", self.seed), ("sizes", sizes)):
            if state.get(key) != here:
                raise ValueError(
                    f"state: expected {key} {here}, got {state.get(key)}. "
                    "Fix: make the sampler with what the state was saved with."
                )
        drawn = {name: state.get("drawn", {}).get(name, -1) for name in self.sources}
        if min(drawn.values()) < 0 or sum(drawn.values()) != state.get("step"):
            raise ValueError(f"state: expected counts that add up to the step, got {dict(state)}.")
        self.set_weights(state.get("weights", {}))
        self.step, self.drawn = state["step"], drawn
