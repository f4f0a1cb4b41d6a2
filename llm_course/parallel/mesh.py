"""The mesh: every rank's place on three axes, and its neighbours along each.

Ranks are numbered with the tensor axis running fastest, then data, then pipeline: tensor
parallelism talks most and should stay within one machine, the pipeline talks least.
"""

from dataclasses import dataclass, field
from functools import partial

import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh

from llm_course.parallel.group import Algorithm, Group
from llm_course.parallel.ledger import Ledger

AXES = ("pipeline", "data", "tensor")


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """The three groups that a rank belongs to, with one ledger for all.

    >>> Mesh().tensor.size
    1
    """

    pipeline: Group = field(default_factory=partial(Group, name="pipeline"))
    data: Group = field(default_factory=partial(Group, name="data"))
    tensor: Group = field(default_factory=partial(Group, name="tensor"))

    @property
    def ledger(self) -> Ledger:
        """Where all three groups enter what they send."""
        return self.data.ledger


def make_mesh(
    *,
    pipeline: int = 1,
    data: int = 1,
    tensor: int = 1,
    algorithm: Algorithm = "ring",
    device: str = "cpu",
) -> Mesh:
    """Lay all ranks of the world out on the three axes; every rank calls it.

    Args:
        pipeline: stages.
        data: parts of the batch.
        tensor: parts of each matrix.
        algorithm: whose collectives are used.
        device: what computes, ``cpu`` or ``cuda``.

    Raises:
        ValueError: the sizes do not multiply to the number of ranks.

    >>> make_mesh().data.size  # one process, which needs no backend
    1
    """
    sizes = {"pipeline": pipeline, "data": data, "tensor": tensor}
    n_ranks = dist.get_world_size() if dist.is_initialized() else 1
    if pipeline * data * tensor != n_ranks or min(sizes.values()) < 1:
        raise ValueError(
            f"mesh: expected pipeline * data * tensor = {n_ranks} ranks, got "
            f"{pipeline} * {data} * {tensor}."
        )
    ledger = Ledger()
    if n_ranks == 1:
        return Mesh(**{axis: Group(name=axis, ledger=ledger) for axis in AXES})
    device_mesh = init_device_mesh(device, tuple(sizes.values()), mesh_dim_names=AXES)
    groups = {}
    for axis, size in sizes.items():
        group = Group(name=axis, ledger=ledger)
        if size > 1:
            group = Group(
                name=axis,
                rank=device_mesh.get_local_rank(axis),
                size=size,
                handle=device_mesh.get_group(axis),
                ledger=ledger,
                algorithm=algorithm,
            )
        groups[axis] = group
    return Mesh(**groups)
