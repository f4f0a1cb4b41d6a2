"""The attention sink: how much of their weight heads put on the first tokens of a text.

It is a finding about *weights*, of every text and whatever the first tokens say. What a reader
finds, and where, is another (``lost_in_the_middle``). The weights come from
``model.introspection.attention_maps``.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from llm_course.shapes import check_shape


def sink_weight(weights: Tensor, n_first: int = 1) -> Tensor:
    """The weight on the first tokens: ``mean_q Σ_{k < n_first} w_qk`` over the queries behind them.

    Queries among the first tokens are left out: they see hardly anything else.

    Args:
        weights: of one layer, causal, rows sum to 1.
        n_first: how many tokens count as the first.

    Shapes:
        weights ``b h t t``; returns ``b h``.

    Raises:
        ShapeError: the weights are not ``b h t t``.
        ValueError: no token, or no query, is left.

    Source:
        Xiao et al. 2023, arXiv:2309.17453, section 3.1 and figure 2.

    >>> weights = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.2, 0.0], [0.6, 0.1, 0.3]])
    >>> round(sink_weight(weights[None, None]).item(), 4)  # the mean of 0.8 and 0.6
    0.7
    """
    n_tokens = check_shape(weights, "b h q k", "weights")["q"]
    check_shape(weights, "b h q k", "weights", k=n_tokens)
    _check(n_tokens, n_first)
    return weights[:, :, n_first:, :n_first].sum(dim=-1).mean(dim=-1)


def even_weight(n_tokens: int, n_first: int = 1) -> float:
    """What ``sink_weight`` is for a head that spreads its weight evenly over all that it sees.

    ``mean_q n_first / (q + 1)`` over ``q = n_first .. n_tokens - 1``

    Raises:
        ValueError: no token, or no query, is left.

    >>> round(even_weight(3), 4)  # the mean of 1/2 and 1/3
    0.4167
    """
    _check(n_tokens, n_first)
    seen = torch.arange(n_first + 1, n_tokens + 1, dtype=torch.float64)
    return (n_first / seen).mean().item()


def sink_map(maps: Sequence[Tensor], n_first: int = 1) -> Tensor:
    """``sink_weight`` of every layer and head, over all texts.

    Args:
        maps: the weights of each layer.
        n_first: as in ``sink_weight``, which also says what is raised.

    Shapes:
        maps ``b h t t`` each; returns ``n_layers h``.
    """
    if not maps:
        raise ValueError("maps: expected the weights of one layer or more, got none.")
    return torch.stack([sink_weight(weights, n_first).mean(dim=0) for weights in maps])


def _check(n_tokens: int, n_first: int) -> None:
    if not 1 <= n_first < n_tokens:
        raise ValueError(
            f"n_first: expected 1 to {n_tokens - 1}, one fewer than there are tokens, "
            f"got {n_first}."
        )
