"""A decoder laid out on the mesh: this rank's part, and which of its parameters are whole.

First its matrices are dealt out over the tensor axis, then its layers over the pipeline. Who wants
the whole model back asks ``whole_weights``.
"""

import torch
from torch import Tensor, nn

from llm_course.model.decoder import Decoder
from llm_course.parallel.collectives import all_gather
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
        weights = {}
        for name, parameter in self.model.named_parameters():
            weights[name] = _undeal(parameter, self.dealt.get(name), self.mesh)
        return weights


def _undeal(parameter: nn.Parameter, axis: int | None, mesh: Mesh) -> Tensor:
    """The ranks' parts side by side along an axis; a copy in any case."""
    part = parameter.detach().clone()
    if axis is None or mesh.tensor.size == 1:
        return part
    whole = all_gather(part.flatten(), mesh.tensor, "whole weights")
    return torch.cat([rows.view_as(part) for rows in whole.chunk(mesh.tensor.size)], dim=axis)
