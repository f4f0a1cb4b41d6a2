"""A run small enough for every layout: four layers of width 16, five steps, some padding."""

import torch

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.parallel.layout import Layout
from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.trainer import ParallelTrainer
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.loss import IGNORE

N_STEPS, ROWS, LENGTH, VOCAB = 4, 8, 6, 20


def small_model(dtype=torch.float64, **changes):
    settings = {
        "vocab_size": VOCAB, "context_length": LENGTH, "d_model": 16, "n_layers": 4, "n_heads": 4,
        "n_kv_heads": 2, "d_ff": 24,
    }  # fmt: skip
    generator = torch.Generator().manual_seed(3)
    model = Decoder(DecoderConfig(**(settings | changes)), generator=generator).double()
    with torch.no_grad():  # norms and biases off their starting points
        for weight in model.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
    return model.to(dtype)


def batches(n=N_STEPS):
    """Token ids and targets, with a different amount of padding in each row."""
    generator = torch.Generator().manual_seed(5)
    made = []
    for _ in range(n):
        text = torch.randint(VOCAB, (ROWS, LENGTH + 1), generator=generator)
        tokens, targets = text[:, :-1].contiguous(), text[:, 1:].clone()
        lengths = torch.randint(1, LENGTH + 1, (ROWS,), generator=generator)
        targets[torch.arange(LENGTH) >= lengths.unsqueeze(1)] = IGNORE
        made.append((tokens, targets))
    return made


def run_config(fused=False):
    return TrainingConfig(
        n_steps=N_STEPS, learning_rate=0.02, warmup_steps=2, weight_decay=0.1, max_grad_norm=0.5,
        fused=fused,
    )  # fmt: skip


def one_process(dtype=torch.float64, fused=False, **changes):
    """Losses, gradient norms and weights of the course's loop on one process."""
    model = small_model(dtype, **changes)
    records = train(model, batches(), run_config(fused))
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    return [r.loss for r in records], [r.grad_norm for r in records], weights


def train_on_mesh(
    layout: Layout, dtype_name="float64", changes=None, algorithm="ring", fused=False
):
    """What one rank of a parallel run has at the end."""
    mesh = make_mesh(
        pipeline=layout.pipeline, data=layout.data, tensor=layout.tensor, algorithm=algorithm
    )
    model = small_model(getattr(torch, dtype_name), **(changes or {}))
    trainer = ParallelTrainer(model, mesh, layout, run_config(fused))
    records = [trainer.step(batch) for batch in batches()]
    return {
        "losses": [record.loss for record in records],
        "norms": [record.grad_norm for record in records],
        "weights": trainer.gradients.whole_weights(),
        "memory": vars(trainer.memory),
        "order": [(slot.kind, slot.microbatch) for slot in trainer.gradients.run.slots],
        "in_flight": trainer.gradients.run.most_in_flight,
    }


def check_equal(results, expected, tolerance=1e-10):
    """Every rank has the losses of one process, and all ranks together its weights."""
    losses, norms, weights = expected
    seen = set()
    for rank, result in enumerate(results):
        for found, wanted in ((result["losses"], losses), (result["norms"], norms)):
            difference = max(abs(a - b) for a, b in zip(found, wanted, strict=True))
            assert difference < tolerance, f"rank {rank}: {found} instead of {wanted}"
        for name, weight in result["weights"].items():
            difference = (weight - weights[name]).abs().max().item()
            assert difference < tolerance, f"rank {rank}, {name}: {difference}"
        seen |= set(result["weights"])
    assert seen == set(weights), "expected all parameters on some rank"
