"""What parallel training costs, in closed form: bytes that a rank sends, keeps, and time it waits.

Tests compare each formula with what the ledger counted in a real run. Bytes are those that **one**
rank sends; it receives as many.
"""

GIGABYTE = 1e9
"""Bytes; the papers count in powers of ten."""


def all_reduce_bytes(n_ranks: int, n_bytes: int) -> float:
    """A ring all-reduce: ``2 (n - 1) / n * bytes``.

    Source:
        Patarasuk and Yuan 2009, *Bandwidth optimal all-reduce algorithms*, section 3.

    >>> all_reduce_bytes(4, 1000)
    1500.0
    """
    return 2 * _share(n_ranks) * n_bytes


def gather_bytes(n_ranks: int, n_bytes: int) -> float:
    """An all-gather to a tensor of so many bytes, or a reduce-scatter of one: ``(n-1)/n * bytes``.

    >>> gather_bytes(4, 1000)
    750.0
    """
    return _share(n_ranks) * n_bytes


def zero_bytes(stage: int, n_ranks: int, n_bytes: int, root_bytes: int = 0) -> float:
    """The traffic of one step with ZeRO, beside the gradient's norm.

    Stages 0 to 2: ``2 (n - 1) / n * P``. Stage 3 gathers the parameters for the forward pass and
    again for the backward pass, ``3 (n - 1) / n * P``, but what belongs to no block (embedding,
    final norm, output) stays from one to the other: ``(n - 1) / n * (3 P - P_root)``.

    Args:
        stage: 0 (plain data parallelism) to 3.
        n_ranks: ranks that share.
        n_bytes: bytes of all parameters, ``P``.
        root_bytes: bytes of those that stage 3 gathers once.

    Raises:
        ValueError: there is no such stage.

    Source:
        Rajbhandari et al. 2020, arXiv:1910.02054, section 7.

    >>> zero_bytes(2, 4, 1000), zero_bytes(3, 4, 1000), zero_bytes(3, 4, 1000, root_bytes=200)
    (1500.0, 2250.0, 2100.0)
    """
    _check_stage(stage)
    passes = 3 * n_bytes - root_bytes if stage == 3 else 2 * n_bytes
    return _share(n_ranks) * passes


def zero_memory(
    stage: int,
    n_parameters: float,
    n_ranks: int,
    *,
    weight: int = 2,
    gradient: int = 2,
    optimizer: int = 12,
) -> float:
    """Bytes of weights, gradients and optimizer state on one rank.

    ``w P + g P + o P`` with one copy each; stage 1 divides the third term by ``n``, stage 2 the
    second as well, stage 3 all three. Activations and buffers come on top.

    Args:
        stage: 0 (plain data parallelism) to 3.
        n_parameters: of the model.
        n_ranks: ranks that share.
        weight: bytes a parameter; the defaults are those of mixed precision with Adam.
        gradient: bytes of its gradient.
        optimizer: bytes of an fp32 copy and two fp32 moments.

    Raises:
        ValueError: there is no such stage.

    Source:
        Rajbhandari et al. 2020, arXiv:1910.02054, figure 1 and section 5.

    >>> [round(zero_memory(stage, 7.5e9, 64) / GIGABYTE, 1) for stage in range(4)]
    [120.0, 31.4, 16.6, 1.9]
    """
    _check_stage(stage)
    divided = [size / (n_ranks if stage >= at else 1)
               for size, at in ((optimizer, 1), (gradient, 2), (weight, 3))]  # fmt: skip
    return n_parameters * sum(divided)


def tensor_parallel_bytes(
    n_ranks: int, batch: int, length: int, d_model: int, item_bytes: int = 4
) -> float:
    """The traffic of one layer with tensor parallelism, forward and backward.

    Four all-reduces of the residual stream, after attention and feed-forward and, backward,
    before them: ``4 * 2 (t - 1) / t * b s h = 8 (t - 1) / t * b s h`` numbers.

    Source:
        Narayanan et al. 2021, arXiv:2104.04473, section 3.2.

    >>> tensor_parallel_bytes(2, batch=1, length=10, d_model=16)  # 8 * 1/2 * 160 numbers
    2560.0
    """
    return 4 * all_reduce_bytes(n_ranks, batch * length * d_model * item_bytes)


def bubble_fraction(n_stages: int, n_microbatches: int) -> float:
    """The share of time that a stage of GPipe or 1F1B waits: ``(p - 1) / (m + p - 1)``.

    Raises:
        ValueError: a count is not positive.

    Source:
        Huang et al. 2019, arXiv:1811.06965, section 2.3.

    >>> bubble_fraction(4, 13)
    0.1875
    """
    if n_stages < 1 or n_microbatches < 1:
        raise ValueError(f"stages, micro-batches: expected 1 or more, got {n_stages}, "
                         f"{n_microbatches}.")  # fmt: skip
    return (n_stages - 1) / (n_microbatches + n_stages - 1)


def _share(n_ranks: int) -> float:
    """``(n - 1) / n``: the part of a tensor that lies elsewhere."""
    if n_ranks < 1:
        raise ValueError(f"n_ranks: expected at least 1, got {n_ranks}.")
    return (n_ranks - 1) / n_ranks


def _check_stage(stage: int) -> None:
    if stage not in (0, 1, 2, 3):
        raise ValueError(f"stage: expected 0, 1, 2 or 3, got {stage!r}.")
