"""A unit of ZeRO: parameters that lie in one piece of memory, of which each rank owns a slice.

The parameters stay what they were for the model, tensors of their shapes; their numbers lie one
after the other in ``memory``, padded so that the ranks divide it. A slice may begin in the middle
of a parameter. What the optimizer sees are the ``pieces``: this rank's part of each parameter.
"""

import torch
from torch import Tensor, nn

from llm_course.parallel.collectives import all_gather, reduce_scatter
from llm_course.parallel.group import Group


class FlatUnit:
    """Parameters that are gathered together and whose gradients are reduced together.

    Args:
        name: what the ledger enters.
        parameters: by name; they become views of one memory.
        group: the ranks that share it.
        keep_whole: whether this rank keeps all parameters, or its slice alone.

    Raises:
        ValueError: there is no parameter, or they differ in their dtype.

    >>> layer = nn.Linear(2, 1)
    >>> unit = FlatUnit("layer", dict(layer.named_parameters()), Group(name="data"))
    >>> [(name, tuple(piece.shape)) for name, piece in unit.pieces]
    [('weight', (2,)), ('bias', (1,))]
    """

    def __init__(
        self,
        name: str,
        parameters: dict[str, nn.Parameter],
        group: Group,
        keep_whole: bool = True,
    ) -> None:
        kinds = {p.dtype for p in parameters.values()}
        if len(kinds) != 1:
            found = ", ".join(sorted(map(str, kinds))) or "none"
            raise ValueError(f"{name}: expected parameters of one dtype, got {found}.")
        self.name, self.parameters, self.group = name, parameters, group
        self.memory, self.size = self._lay_out(group.size)
        own = slice(group.rank * self.size, (group.rank + 1) * self.size)
        self.shard = self.memory[own] if keep_whole else self.memory[own].clone()
        self.shard_gradient: Tensor | None = None
        self.pieces = self._cut(own)
        self._n_bytes = self.memory.untyped_storage().nbytes()
        self.is_whole = True
        if not keep_whole:
            self.release()

    def gather(self) -> None:
        """Make the parameters whole again: an all-gather of the slices."""
        if not self.is_whole:
            self.memory.untyped_storage().resize_(self._n_bytes)
            self.is_whole = True
            self.publish()

    def publish(self) -> None:
        """Send this rank's slice to the others, after the optimizer's step."""
        all_gather(self.shard, self.group, f"parameters {self.name}", into=self.memory)

    def release(self) -> None:
        """Give the memory of the whole back; only where the slice lies elsewhere.

        The parameters keep their shapes, and whatever autograd has saved of them is whole again
        after ``gather``: it is the memory that comes and goes, not the tensors.
        """
        self.memory.untyped_storage().resize_(0)
        self.is_whole = False

    def reduce(self) -> None:
        """Sum the gradients over the ranks, keep the slice, forget the rest.

        A second micro-batch's are added to the first's. A missing gradient counts as zero.
        """
        whole = self.shard.new_zeros(self.size * self.group.size)
        for parameter, (start, end) in zip(self.parameters.values(), self._places(), strict=True):
            if parameter.grad is not None:
                whole[start:end] = parameter.grad.flatten()
                parameter.grad = None
        mine = reduce_scatter(whole, self.group, f"gradients {self.name}")
        if self.shard_gradient is None:
            self.shard_gradient = mine
        else:
            self.shard_gradient += mine
        start = 0
        for _, piece in self.pieces:  # what follows the last piece is padding
            piece.grad = self.shard_gradient[start : start + piece.numel()]
            start += piece.numel()

    def forget_gradients(self) -> None:
        """Before the next step."""
        self.shard_gradient = None
        for _, piece in self.pieces:
            piece.grad = None

    def _lay_out(self, n: int) -> tuple[Tensor, int]:
        """The memory with the parameters in it, and the size of a slice."""
        first, total = next(iter(self.parameters.values())), self._places()[-1][1]
        size = -(-total // n)  # rounded up
        memory = torch.zeros(n * size, dtype=first.dtype, device=first.device)
        for parameter, (start, end) in zip(self.parameters.values(), self._places(), strict=True):
            memory[start:end] = parameter.detach().flatten()
            parameter.data = memory[start:end].view_as(parameter)
        return memory, size

    def _places(self) -> list[tuple[int, int]]:
        """Where each parameter begins and ends."""
        places, start = [], 0
        for parameter in self.parameters.values():
            places.append((start, start + parameter.numel()))
            start += parameter.numel()
        return places

    def _cut(self, own: slice) -> list[tuple[str, nn.Parameter]]:
        """This rank's part of each parameter that it has a part of."""
        pieces = []
        for name, (start, end) in zip(self.parameters, self._places(), strict=True):
            low, high = max(start, own.start), min(end, own.stop)
            if low < high:
                part = self.shard[low - own.start : high - own.start]
                pieces.append((name, nn.Parameter(part)))
        return pieces
