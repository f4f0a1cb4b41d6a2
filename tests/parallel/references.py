"""What PyTorch's own engines make of the same model and batch; each function runs on every rank."""

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    loss_parallel,
    parallelize_module,
)
from torch.nn.parallel import DistributedDataParallel

from llm_course.parallel.pipeline_stage import keep_stage, stage_forward
from llm_course.training.loss import IGNORE
from tests.parallel.small_run import batches, small_model


def full_batch():
    """The first batch without padding, so that a mean of means is the mean."""
    tokens, targets = batches(1)[0]
    return tokens, targets.where(targets != IGNORE, tokens)


def my_rows():
    rank, n = dist.get_rank(), dist.get_world_size()
    return [tensor.chunk(n)[rank] for tensor in full_batch()]


def plain_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten())


def gradients_of(model):
    found = {}
    for name, weight in model.named_parameters():
        grad = weight.grad
        if isinstance(grad, DTensor):
            grad = grad.full_tensor()
        found[name] = grad.clone()
    return found


def one_process_gradients(**changes):
    model = small_model(**changes)
    tokens, targets = full_batch()
    loss = plain_loss(model(tokens), targets)
    loss.backward()
    return loss.item(), gradients_of(model)


def with_ddp():
    model = small_model()
    tokens, targets = my_rows()
    wrapped = DistributedDataParallel(model, bucket_cap_mb=0.01)  # must live until backward
    plain_loss(wrapped(tokens), targets).backward()
    return gradients_of(model)


def with_fsdp2():
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    model = small_model()
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02, betas=(0.9, 0.95))
    tokens, targets = my_rows()
    plain_loss(model(tokens), targets).backward()
    found = gradients_of(model)
    optimizer.step()
    return found, {name: w.full_tensor().detach() for name, w in model.named_parameters()}


def with_dtensor():
    """Attention and feed-forward by DTensor, and its vocabulary-parallel loss."""
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    model = small_model(tie_embeddings=False)
    columns, rows = ColwiseParallel(), RowwiseParallel()
    plan = {
        "embedding": RowwiseParallel(input_layouts=Replicate()),
        "output": ColwiseParallel(output_layouts=Shard(-1), use_local_output=False),
    }
    for i, block in enumerate(model.blocks):
        for part in ("attention.query", "attention.key", "attention.value"):
            plan[f"blocks.{i}.{part}"] = columns
        plan[f"blocks.{i}.attention.output"] = rows
        plan |= {f"blocks.{i}.feed_forward.{part}": columns for part in ("gate", "up")}
        plan[f"blocks.{i}.feed_forward.down"] = rows
        block.attention.n_heads //= mesh.size()
        block.attention.n_kv_heads //= mesh.size()
    parallelize_module(model, mesh, plan)
    tokens, targets = full_batch()
    logits = model.output(model.features(tokens))
    with loss_parallel():
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        loss.backward()
    return loss.full_tensor().item(), gradients_of(model)


class StageModule(nn.Module):
    """This rank's layers as a module of one input, which ``pipelining`` wants."""

    def __init__(self, n_stages):
        super().__init__()
        self.whole = small_model(tie_embeddings=False)
        self.layers = keep_stage(self.whole, dist.get_rank(), n_stages)
        self.is_last = dist.get_rank() == n_stages - 1

    def forward(self, x):
        x = stage_forward(self.whole, self.layers, x)
        return self.whole.unembed(x) if self.is_last else x


def with_pipelining(schedule_name, n_microbatches):
    n, rank = dist.get_world_size(), dist.get_rank()
    module = StageModule(n)
    stage = PipelineStage(module, rank, n, torch.device("cpu"))
    kind = {"gpipe": ScheduleGPipe, "1f1b": Schedule1F1B}[schedule_name]
    schedule = kind(stage, n_microbatches, loss_fn=plain_loss)
    tokens, targets = full_batch()
    losses = []
    given = {"target": targets, "losses": losses} if module.is_last else {}
    schedule.step(*([tokens] if rank == 0 else []), **given)
    mean = torch.stack(losses).mean().item() if losses else None
    return mean, gradients_of(module.whole)
