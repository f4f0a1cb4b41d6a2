"""ZeRO's first stage as a pure function: the ranks are places in a list.

Plain data parallelism keeps Adam's two moments on every rank, and every rank makes the same step.
ZeRO-1 gives each rank a slice of the parameters to look after: it keeps the moments of its slice,
makes the step there, and sends the result to the others.
"""

from collections.abc import Sequence

from torch import Tensor

from llm_course.parallel.simulated_ranks import ring_all_gather, ring_reduce_scatter
from llm_course.shapes import check_shape
from llm_course.training.optimizer import adamw_step


def zero1_step(
    weight: Tensor,
    gradients: Sequence[Tensor],
    means: Sequence[Tensor],
    squares: Sequence[Tensor],
    step: int,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.95),
    eps: float = 1e-8,
    weight_decay: float = 0.1,
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """One step of AdamW on ``n`` ranks, each with the moments of its slice alone.

    The gradients are reduce-scattered, so that rank ``r`` has slice ``r`` of their **mean**; it
    makes the step there; the slices of the weight are all-gathered.

    Args:
        weight: what is learnt, flat; all ranks have it. It is not changed.
        gradients: what each rank computed on its own part of the batch.
        means: each rank's slice of the first moment.
        squares: each rank's slice of the second moment.
        step: how many steps this one makes, from 1.
        learning_rate: the size of a step.
        betas: how much of the mean, and of the square, stays.
        eps: keeps the step finite where the gradient is zero.
        weight_decay: the share of the weight that is lost, times the learning rate.

    Shapes:
        weight ``p``; gradients ``p`` each; means, squares ``p / n`` each (the first slices have
        one number more if ``n`` does not divide ``p``); returns the new weight ``p``, means and
        squares.

    Raises:
        ShapeError: the sizes do not fit.
        ValueError: there is no rank, or not as many moments as gradients.

    Source:
        Rajbhandari et al. 2020, arXiv:1910.02054, section 5.1.

    >>> import torch
    >>> zeros = [torch.zeros(1), torch.zeros(1)]
    >>> gradients = [torch.tensor([2.0, -1.0]), torch.tensor([4.0, -5.0])]
    >>> new, means, _ = zero1_step(
    ...     torch.ones(2), gradients, zeros, zeros, 1, learning_rate=0.1, weight_decay=0.0
    ... )
    >>> new.round(decimals=4).tolist()  # the first step is the mean gradient's sign
    [0.8999999761581421, 1.100000023841858]
    >>> [round(mean.item(), 4) for mean in means]  # a tenth of 3 on rank 0, of -3 on rank 1
    [0.3, -0.3]
    """
    n = len(gradients)
    for name, moments in (("means", means), ("squares", squares)):
        if len(moments) != n:
            raise ValueError(f"{name}: expected one for each of {n} ranks, got {len(moments)}.")
    for rank, gradient in enumerate(gradients):
        check_shape(gradient, "p", f"gradients[{rank}]", p=check_shape(weight, "p", "weight")["p"])
    mean_slices = [total / n for total in ring_reduce_scatter(gradients)]
    slices = [part.clone() for part in weight.tensor_split(n)]
    new_means, new_squares = ([m.clone() for m in moments] for moments in (means, squares))
    for rank in range(n):
        size = len(slices[rank])
        check_shape(means[rank], "p", f"means[{rank}]", p=size)
        check_shape(squares[rank], "p", f"squares[{rank}]", p=size)
        adamw_step(
            slices[rank], mean_slices[rank], new_means[rank], new_squares[rank], step,
            learning_rate, betas, eps, weight_decay,
        )  # fmt: skip
    return ring_all_gather(slices)[0], new_means, new_squares
