"""What lies in the memory of one rank: parameters, gradients, optimizer state and activations.

Counted from the tensors that are there, by the memory they stand on: two views of one piece of
memory count once, and a piece that has been given back counts nothing.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class RankMemory:
    """Bytes on one rank when the backward pass has ended.

    Args:
        parameters: weights, whole or sharded.
        gradients: of those.
        optimizer: moments of the optimizer, and its copies.
        activations: kept between forward and backward, at the most.
    """

    parameters: int
    gradients: int
    optimizer: int
    activations: int


def bytes_of(tensors: Iterable[Tensor | None]) -> int:
    """Bytes of memory that the tensors stand on; what they share counts once.

    Shapes:
        tensors any; None is passed over.

    >>> whole = torch.zeros(10)
    >>> bytes_of([whole, whole[:5], None])
    40
    """
    storages = {}
    for tensor in tensors:
        if tensor is not None:
            storage = tensor.untyped_storage()
            storages[storage._cdata] = storage.nbytes()
    return sum(storages.values())


def optimizer_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of an optimizer's state, but for the counters of its steps.

    >>> weight = torch.nn.Parameter(torch.zeros(10))
    >>> weight.grad = torch.ones(10)
    >>> optimizer = torch.optim.AdamW([weight])
    >>> optimizer.step()
    >>> optimizer_bytes(optimizer)  # two moments
    80
    """
    return bytes_of(
        value
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, Tensor) and value.dim() > 0
    )


class SavedBytes:
    """The memory that a graph keeps for its backward pass, beside the parameters."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self._known = {parameter.untyped_storage()._cdata for parameter in parameters}
        self._saved: dict[int, Tensor] = {}

    def note(self, tensor: Tensor) -> Tensor:
        """Remember what is saved, and save it."""
        key = tensor.untyped_storage()._cdata
        if key not in self._known:
            self._saved[key] = tensor
        return tensor

    @property
    def total(self) -> int:
        """Bytes."""
        return bytes_of(self._saved.values())


@contextmanager
def saved_bytes(parameters: Iterable[Tensor]) -> Iterator[SavedBytes]:
    """Count what the operations in this block save for their backward passes.

    Read ``total`` inside the block, while the activations are there.

    Args:
        parameters: what is kept anyway and does not count.

    >>> layer, x = torch.nn.Linear(4, 3), torch.zeros(2, 4)
    >>> with saved_bytes(layer.parameters()) as saved:
    ...     y = layer(x)
    ...     saved.total  # the input, 2 * 4 numbers
    32
    """
    counter = SavedBytes(parameters)
    with torch.autograd.graph.saved_tensors_hooks(counter.note, lambda tensor: tensor):
        yield counter
