"""The same run on PyTorch's own fully sharded data parallel (FSDP2), beside ZeRO's stage 3.

Called on every rank, by ``RankPool.run``; in fp64, as ``measured_run.py``.
"""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.functional import cross_entropy

from llm_course.model.config import DecoderConfig
from llm_course.parallel.batch_parts import rows_of_rank
from llm_course.parallel.measured_run import Texts, batches_of, seeded_model
from llm_course.training.config import TrainingConfig
from llm_course.training.optimizer import parameter_groups
from llm_course.training.schedule import warmup_cosine


def train_with_fsdp(
    config: DecoderConfig, settings: TrainingConfig, texts: Texts, seed: int = 0
) -> list[float]:
    """The losses of the same run on PyTorch's fully sharded data parallel (FSDP2).

    Each block is a unit, and what is left is another, as in ``zero.py``. Every text must have one
    length, because FSDP takes the mean of the ranks' gradients.

    Raises:
        ValueError: the ranks do not divide the rows.

    Source:
        Zhao et al. 2023, arXiv:2304.11277.
    """
    rank, n_ranks = dist.get_rank(), dist.get_world_size()
    mesh = init_device_mesh("cpu", (n_ranks,))
    model = seeded_model(config, seed)
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    groups = parameter_groups(model, settings.weight_decay)
    optimizer = torch.optim.AdamW(groups, betas=settings.betas, eps=settings.eps, foreach=False)
    losses = []
    for step, batch in enumerate(batches_of(texts)):
        (tokens, targets), *_ = rows_of_rank(batch, rank, n_ranks)
        loss = cross_entropy(model(tokens).flatten(0, 1), targets.flatten())
        loss.backward()
        if settings.max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_grad_norm)
        for group in optimizer.param_groups:
            group["lr"] = _rate(step, settings)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(_mean_of_ranks(loss.detach()))
    return losses


def _rate(step: int, settings: TrainingConfig) -> float:
    return warmup_cosine(
        step,
        peak=settings.learning_rate,
        n_steps=settings.n_steps,
        warmup_steps=settings.warmup_steps,
        minimum=settings.minimum_learning_rate,
    )


def _mean_of_ranks(value: Tensor) -> float:
    dist.all_reduce(value)
    return value.item() / dist.get_world_size()
