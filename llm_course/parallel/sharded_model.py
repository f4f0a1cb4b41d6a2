"""A decoder laid out on the mesh: this rank's part, and which of its parameters are whole.

First its matrices are dealt out over the tensor axis, then its layers over the pipeline. Who wants
the whole model back asks ``whole_weights``.
"""

import torch
from torch import Tensor

from llm_course.model.decoder import Decoder
from llm_course.parallel.collectives import all_gather
from llm_course.parallel.group import Group
from llm_course.parallel.mesh import Mesh
from llm_course.parallel.pipeline_stage import add_tied_gradient, keep_stage
from llm_course.parallel.tensor_parallel import tensor_parallelise


class ShardedModel:
    """This rank's part of a decoder.

    Args:
        model: the whole decoder, the same on all ranks; it is changed.
        mesh: the rank's place.

    Raises:
        ValueError: the ranks do not divide what they share.
    """

    def __init__(self, model: Decoder, mesh: Mesh) -> None:
        self.model, self.mesh = model, mesh
        self.dealt: dict[str, int] = {}
        if mesh.tensor.size > 1:
            self.dealt = tensor_parallelise(model, mesh.tensor)
        stage, n_stages = mesh.pipeline.rank, mesh.pipeline.size
        self.layers = keep_stage(model, stage, n_stages)
        self.is_first, self.is_last = stage == 0, stage == n_stages - 1
        ends = self.is_first or self.is_last
        self.shares_embedding = ends and n_stages > 1 and model.config.tie_embeddings

    def counts(self, name: str) -> bool:
        """Whether this rank's part of a parameter counts in a sum over tensor and pipeline axes.

        A parameter that is whole on all ranks of the tensor axis counts on the first; the last
        stage's copy of the embedding does not count.
        """
        if name == "embedding.weight" and self.shares_embedding and not self.is_first:
            return False
        return name in self.dealt or self.mesh.tensor.rank == 0

    def add_tied_gradients(self) -> None:
        """Make the gradient of a shared embedding that of both its uses."""
        if self.shares_embedding:
            weight = self.model.embedding.weight
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            add_tied_gradient(weight.grad, self.mesh.pipeline)

    def whole_weights(self) -> dict[str, Tensor]:
        """The parameters of this stage as the whole model has them; all ranks must call it.

        Raises:
            RankLost: a rank is not there.
        """
        return {
            name: undeal(parameter, self.dealt.get(name), self.mesh.tensor)
            for name, parameter in self.model.named_parameters()
        }


def undeal(part: Tensor, axis: int | None, group: Group) -> Tensor:
    """The ranks' parts side by side along an axis, on every rank; a copy in any case.

    Args:
        part: what this rank has; all parts have one shape.
        axis: along which the whole was dealt out; None if it was not.
        group: the ranks that have the parts.

    Shapes:
        part any; returns it with the axis ``group.size`` times as long.

    Raises:
        RankLost: a rank is not there.

    >>> undeal(torch.tensor([1.0, 2.0]), 0, Group(name="tensor")).tolist()
    [1.0, 2.0]
    """
    part = part.detach().clone()
    if axis is None or group.size == 1:
        return part
    whole = all_gather(part.flatten(), group, "whole weights")
    return torch.cat([rows.view_as(part) for rows in whole.chunk(group.size)], dim=axis)
