"""Mixture of experts: many feed-forward layers, of which each token visits a few.

The tokens are grouped by expert, so that each expert works on one matrix; the groups are padded
to the longest, which is wasted work if the load is uneven. Leaves out the sending of tokens
between devices.
"""

from typing import NamedTuple

import torch
from einops import einsum, rearrange, reduce
from torch import Tensor, nn

from llm_course.model.feed_forward import swiglu
from llm_course.model.routing import expert_capacity, queue_positions, route
from llm_course.shapes import check_shape


class Routing(NamedTuple):
    """What the router decided for every token.

    Shapes:
        logits ``n e``; experts, weights, kept ``n k``, best expert first.
    """

    logits: Tensor
    experts: Tensor
    weights: Tensor
    kept: Tensor

    @property
    def n_dropped(self) -> int:
        """Choices that found their expert full: of ``n * k``."""
        return int((~self.kept).sum())


def mixture_of_experts(
    x: Tensor,
    w_router: Tensor,
    w_gate: Tensor,
    w_up: Tensor,
    w_down: Tensor,
    top_k: int,
    capacity_factor: float | None = None,
    renormalise: bool = True,
) -> tuple[Tensor, Routing]:
    """Feed every token to its ``top_k`` experts: ``y = Σ_i weight_i * expert_i(x)``.

    ``expert_i(x) = W_down_i (swish(W_gate_i x) * W_up_i x)``. A choice that finds its expert full
    adds zero to the sum, and the other weights stay as they are. Who is dropped depends on the
    whole batch, later tokens included: with a capacity the layer is not causal.

    Args:
        x: the input of the layer.
        w_router: one row for each expert.
        w_gate: the experts' gates, stacked; each matrix as ``nn.Linear`` keeps it.
        w_up: likewise.
        w_down: likewise.
        top_k: experts a token visits.
        capacity_factor: room of an expert, as a multiple of an even load; nothing is dropped if
            not given.
        renormalise: whether the weights of a token's experts are scaled to the sum 1.

    Shapes:
        x ``b t d``; w_router ``e d``; w_gate, w_up ``e f d``; w_down ``e d f``; returns
        ``b t d`` and a routing over ``n = b t`` tokens.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: there are not ``top_k`` experts, or the factor is not positive.

    Source:
        Jiang et al. 2024, arXiv:2401.04088, section 2.1.

    >>> x, ones = torch.tensor([[[20.0], [40.0]]]), torch.ones(2, 1, 1)  # swish(x) is x so far out
    >>> router, down = torch.tensor([[0.0], [1.0]]), torch.tensor([[[1.0]], [[3.0]]])
    >>> y, routing = mixture_of_experts(x, router, ones, ones, down, top_k=1)
    >>> y.flatten().tolist(), routing.experts.tolist()  # 3 * 20², 3 * 40²
    ([1200.0, 4800.0], [[1], [1]])
    """
    sizes = check_shape(x, "b t d", "x")
    sizes |= check_shape(w_router, "e d", "w_router", d=sizes["d"])
    sizes |= check_shape(w_gate, "e f d", "w_gate", e=sizes["e"], d=sizes["d"])
    expert = {axis: sizes[axis] for axis in "efd"}
    check_shape(w_up, "e f d", "w_up", **expert)
    check_shape(w_down, "e d f", "w_down", **expert)
    tokens = rearrange(x, "b t d -> (b t) d")
    logits = einsum(tokens, w_router, "n d, e d -> n e")
    experts, weights = route(logits, top_k, renormalise)
    places = queue_positions(experts, sizes["e"])
    if capacity_factor is None:
        capacity = int(places.max()) + 1 if places.numel() else 0
    else:
        capacity = expert_capacity(len(tokens), sizes["e"], top_k, capacity_factor)
    routing = Routing(logits, experts, weights, kept=places < capacity)
    y = _visit_experts(tokens, w_gate, w_up, w_down, routing, places, capacity)
    return rearrange(y, "(b t) d -> b t d", b=sizes["b"], t=sizes["t"]), routing


def _visit_experts(
    tokens: Tensor,
    w_gate: Tensor,
    w_up: Tensor,
    w_down: Tensor,
    routing: Routing,
    places: Tensor,
    capacity: int,
) -> Tensor:
    """Group the kept choices by expert, compute, and bring the weighted outputs back."""
    token, choice = routing.kept.nonzero(as_tuple=True)
    address = routing.experts[token, choice], places[token, choice]
    groups = tokens.new_zeros(len(w_gate), capacity, tokens.shape[1])
    groups = groups.index_put(address, tokens[token])
    gate = einsum(groups, w_gate, "e c d, e f d -> e c f")
    up = einsum(groups, w_up, "e c d, e f d -> e c f")
    outputs = einsum(swiglu(gate, up), w_down, "e c f, e d f -> e c d")
    weighted = outputs[address] * rearrange(routing.weights[token, choice], "c -> c 1")
    # Back to one row for each choice; those that were dropped stay zero.
    choices = weighted.new_zeros(*routing.kept.shape, tokens.shape[1])
    choices = choices.index_put((token, choice), weighted)
    return reduce(choices, "n k d -> n d", "sum").to(tokens.dtype)


class MixtureOfExperts(nn.Module):
    """``mixture_of_experts`` with its weights, in place of a ``FeedForward``.

    ``routing`` holds what the router decided at the last call, which the losses need.

    Shapes:
        x ``b t d_model``; returns ``b t d_model``.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        n_experts: int,
        top_k: int = 2,
        capacity_factor: float | None = None,
        renormalise: bool = True,
    ) -> None:
        super().__init__()
        self.choices = top_k, capacity_factor, renormalise
        self.routing: Routing | None = None
        self.router = nn.Linear(d_model, n_experts, bias=False)
        self.gate = nn.Parameter(torch.empty(n_experts, d_ff, d_model).normal_(std=0.02))
        self.up = nn.Parameter(torch.empty(n_experts, d_ff, d_model).normal_(std=0.02))
        self.down = nn.Parameter(torch.empty(n_experts, d_model, d_ff).normal_(std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: x ``b t d_model``; returns ``b t d_model``."""
        weights = self.router.weight, self.gate, self.up, self.down
        y, self.routing = mixture_of_experts(x, *weights, *self.choices)
        return y

    def __getstate__(self) -> dict[str, object]:
        """A copy begins without a routing, whose logits belong to the graph of one call."""
        return {**super().__getstate__(), "routing": None}
