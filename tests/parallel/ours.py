"""What the course's own engines make of the same model and batch, on every rank."""

import torch.distributed as dist

from llm_course.parallel.collectives import all_gather
from llm_course.parallel.data_parallel import DataParallel
from llm_course.parallel.gradients import Gradients
from llm_course.parallel.layout import Layout
from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.sharded_model import undeal
from llm_course.parallel.trainer import ParallelTrainer
from llm_course.training.config import TrainingConfig
from tests.parallel.references import full_batch, gradients_of, my_rows, plain_loss
from tests.parallel.small_run import small_model


def mesh_for(layout, algorithm="ring"):
    return make_mesh(
        pipeline=layout.pipeline, data=layout.data, tensor=layout.tensor, algorithm=algorithm
    )


def with_data_parallel(algorithm):
    model = small_model()
    mesh = make_mesh(data=dist.get_world_size(), algorithm=algorithm)
    parallel = DataParallel(model, mesh.data, bucket_bytes=10_000)
    tokens, targets = my_rows()
    left = []  # buckets that had left when the gradient reached the first layer's output

    def watch(module, inputs, output):
        output.register_hook(lambda slope: left.append(parallel.started))

    model.blocks[0].register_forward_hook(watch)
    (plain_loss(model(tokens), targets) / mesh.data.size).backward()
    parallel.finish()
    return gradients_of(model), left, len(parallel.buckets)


def with_layout(layout, **changes):
    """Loss, whole gradients of this stage, and the ledger's transfers."""
    mesh = mesh_for(layout)
    gradients = Gradients(small_model(**changes), mesh, layout)
    mesh.ledger.clear()
    loss, _ = gradients.compute(full_batch())
    transfers = [vars(transfer) for transfer in mesh.ledger.transfers]
    return loss, whole_gradients(gradients), transfers


def whole_gradients(gradients):
    if gradients.zero:
        return unsharded(gradients.zero, "shard_gradient")
    return {
        name: undeal(weight.grad, gradients.sharded.dealt.get(name), gradients.mesh.tensor)
        for name, weight in gradients.model.named_parameters()
    }


def unsharded(zero, attribute):
    found = {}
    for unit in zero.units:
        whole = all_gather(getattr(unit, attribute), unit.group)
        start = 0
        for name, weight in unit.parameters.items():
            found[name] = whole[start : start + weight.numel()].view(weight.shape).clone()
            start += weight.numel()
    return found


def weights_after_a_step(stage):
    """As ``with_fsdp2``: one step of AdamW that decays every parameter, without a limit."""
    layout = Layout(data=dist.get_world_size(), zero=stage)
    config = TrainingConfig(
        n_steps=1, learning_rate=0.02, weight_decay=0.0, max_grad_norm=None, fused=False,
        minimum_learning_rate=0.02,
    )  # fmt: skip
    trainer = ParallelTrainer(small_model(), mesh_for(layout), layout, config)
    for group in trainer.optimizer.param_groups:
        group["weight_decay"] = 0.01  # PyTorch's default
    trainer.step(full_batch())
    return trainer.gradients.whole_weights()
