"""The router of a mixture of experts: who goes where, and two losses that keep it healthy.

A router that is left alone sends most tokens to few experts, because those that are visited learn
and those that learn are visited. Leaves out noise in the scores, and balancing without a loss.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import Tensor

from llm_course.shapes import check_shape


def route(logits: Tensor, top_k: int, renormalise: bool = True) -> tuple[Tensor, Tensor]:
    """Choose the experts of each token, and weigh them by the softmax of their logits.

    Renormalised, the weights of a token's experts sum to 1, which is a softmax over the chosen
    logits alone. With one expert that is always 1, and the loss teaches the router nothing: the
    Switch Transformer keeps the probability among all experts. Computed in fp32 at least.

    Args:
        logits: the score of every expert for every token.
        top_k: experts a token visits.
        renormalise: whether the weights are scaled to the sum 1.

    Shapes:
        logits ``n e``; returns experts and weights ``n k``, best first.

    Raises:
        ValueError: there are not ``top_k`` experts.
        ShapeError: the logits have another number of axes.

    Source:
        Jiang et al. 2024, arXiv:2401.04088, section 2.1; Fedus et al. 2021, arXiv:2101.03961,
        eq. 1 and 2 (not renormalised).

    >>> experts, weights = route(torch.tensor([[1.0, 4.0, 12.0]]).log(), top_k=2)
    >>> experts.tolist(), weights.round(decimals=4).tolist()
    ([[2, 1]], [[0.75, 0.25]])
    """
    n_experts = check_shape(logits, "n e", "logits")["e"]
    if not 1 <= top_k <= n_experts:
        raise ValueError(f"top_k: expected 1 to {n_experts}, the experts, got {top_k}.")
    wide = logits.to(_wide(logits))
    best, experts = wide.topk(top_k, dim=-1)
    if renormalise:
        return experts, best.softmax(dim=-1)
    return experts, (best - wide.logsumexp(dim=-1, keepdim=True)).exp()


def expert_capacity(n_tokens: int, n_experts: int, top_k: int, capacity_factor: float) -> int:
    """Tokens an expert takes: ``ceil(capacity_factor * n_tokens * top_k / n_experts)``.

    With the factor 1 there is room for all if the load is perfectly even.

    Source:
        Fedus et al. 2021, arXiv:2101.03961, eq. 3; times ``top_k``: Lepikhin et al. 2020,
        arXiv:2006.16668, section 2.2.

    >>> expert_capacity(n_tokens=6, n_experts=4, top_k=2, capacity_factor=1.0)
    3
    """
    if not capacity_factor > 0:
        raise ValueError(f"capacity_factor: expected a positive number, got {capacity_factor!r}.")
    # 1.1 * 10 is 11.000000000000002 in floating point, and must not round up to 12.
    return math.ceil(capacity_factor * n_tokens * top_k / n_experts - 1e-9)


def queue_positions(experts: Tensor, n_experts: int) -> Tensor:
    """How many stand before each choice in the queue of its expert.

    First choices of all tokens come before second choices; among equals, earlier tokens do.

    Shapes:
        experts ``n k``; returns ``n k``.

    Source:
        Lepikhin et al. 2020, arXiv:2006.16668, algorithm 1.

    >>> queue_positions(torch.tensor([[0, 1], [1, 0], [0, 1]]), n_experts=2).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    queue = rearrange(experts, "n k -> (k n)")
    arrived = F.one_hot(queue, n_experts).cumsum(dim=0)
    before = arrived.gather(1, rearrange(queue, "c -> c 1")) - 1
    n_tokens, top_k = experts.shape
    return rearrange(before, "(k n) 1 -> n k", n=n_tokens, k=top_k)


def load_balance_loss(logits: Tensor, experts: Tensor) -> Tensor:
    """How uneven the load is: ``n_experts * Σ_i f_i P_i``, 1 if it is perfectly even.

    ``f_i`` is the share of choices that went to expert ``i``, ``P_i`` its mean probability. The
    shares are counts and have no gradient; the probabilities of crowded experts are pushed down.
    It is to be added to the loss with a small factor, 0.01 in the paper.

    Shapes:
        logits ``n e``; experts ``n k``; returns a scalar.

    Raises:
        ShapeError: the sizes do not fit.

    Source:
        Fedus et al. 2021, arXiv:2101.03961, eq. 4 to 6, where ``k`` is 1.

    >>> logits = torch.tensor([[1.0, 3.0]] * 4).log()  # probabilities 1/4 and 3/4
    >>> loss = load_balance_loss(logits, torch.tensor([[1]] * 4))  # 2 * (0 * 1/4 + 1 * 3/4)
    >>> round(loss.item(), 4)
    1.5
    """
    sizes = check_shape(logits, "n e", "logits")
    check_shape(experts, "n k", "experts", n=sizes["n"])
    probabilities = logits.softmax(dim=-1, dtype=_wide(logits))
    share = reduce(F.one_hot(experts, sizes["e"]).to(probabilities), "n k e -> e", "mean")
    return sizes["e"] * (share * reduce(probabilities, "n e -> e", "mean")).sum()


def router_z_loss(logits: Tensor) -> Tensor:
    """How large the logits are: ``mean (log Σ_i exp logit_i)²``; large ones are rounded coarsely.

    To be added to the loss with a small factor, 0.001 in the paper.

    Shapes:
        logits ``n e``; returns a scalar.

    Raises:
        ShapeError: the logits have another number of axes.

    Source:
        Zoph et al. 2022, arXiv:2202.08906, eq. 5.

    >>> loss = router_z_loss(torch.tensor([[1.0, 3.0]]).log())  # (log 4)²
    >>> round(loss.item(), 4), round(math.log(4) ** 2, 4)
    (1.9218, 1.9218)
    """
    check_shape(logits, "n e", "logits")
    return logits.to(_wide(logits)).logsumexp(dim=-1).square().mean()


def _wide(x: Tensor) -> torch.dtype:
    """The dtype of the router: at least fp32, because close scores decide who goes where."""
    return torch.promote_types(x.dtype, torch.float32)
