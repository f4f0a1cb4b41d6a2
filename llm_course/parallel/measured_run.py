"""A whole training run on a mesh, and what one rank has to report of it.

Every function is called on every rank, by ``RankPool.run``. All is in fp64, so that a difference
from one process is a difference of the method, not of the rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.parallel.layout import Layout
from llm_course.parallel.ledger import Transfer
from llm_course.parallel.logical_clock import Slot
from llm_course.parallel.memory import RankMemory
from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.trainer import ParallelTrainer
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import Batch
from llm_course.training.loss import shift

Texts = Sequence[Sequence[Sequence[int]]]
"""For each step the rows of its batch, as token ids."""


@dataclass(frozen=True, kw_only=True)
class RankReport:
    """What one rank has seen of a run.

    Args:
        losses: of the whole batch, before each step.
        memory: what lay on this rank when the last backward pass had ended.
        resting: bytes of weights that it keeps between two steps.
        transfers: what it sent in the last step.
        slots: the actions of its pipeline stage in the last step.
        in_flight: the most micro-batches whose activations it kept.
        buckets: how many of its buckets of gradients had left when the backward pass reached the
            output of the first block, and how many there are.
    """

    losses: list[float]
    memory: RankMemory
    resting: int
    transfers: list[Transfer] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    in_flight: int = 0
    buckets: tuple[int, int] = (0, 0)

    def sent(self, group: str, *, purpose: str = "") -> int:
        """Bytes that it sent along an axis, but for the loss and the gradient's norm."""
        return sum(
            transfer.sent or 0
            for transfer in self.transfers
            if transfer.group == group
            and transfer.purpose.startswith(purpose)
            and transfer.purpose not in ("loss", "gradient norm")
        )


def seeded_model(config: DecoderConfig, seed: int) -> Decoder:
    """The same fp64 decoder on every rank and on one process.

    >>> config = DecoderConfig(
    ...     vocab_size=3, context_length=4, d_model=8, n_layers=1, n_heads=1, d_ff=8
    ... )
    >>> seeded_model(config, 0).embedding.weight.dtype
    torch.float64
    """
    return Decoder(config, generator=torch.Generator().manual_seed(seed)).double()


def batches_of(texts: Texts) -> list[Batch]:
    """Tokens and targets of each step.

    >>> [part.tolist() for part in batches_of([[[1, 2, 3]]])[0]]
    [[[1, 2]], [[2, 3]]]
    """
    return [shift(torch.tensor(rows)) for rows in texts]


def train_on_ranks(
    layout: Layout, config: DecoderConfig, settings: TrainingConfig, texts: Texts, seed: int = 0
) -> RankReport:
    """One rank's side of a run on the course's own engine.

    Args:
        layout: how the run is laid out; its sizes multiply to the number of ranks.
        config: of the model.
        settings: of the run.
        texts: what is learnt, the same on all ranks; one batch for each step.
        seed: of the first weights.

    Raises:
        RankLost: a rank is not there.
        ValueError: the layout does not fit the ranks, or the model.

    >>> config = DecoderConfig(
    ...     vocab_size=3, context_length=4, d_model=8, n_layers=1, n_heads=1, d_ff=8
    ... )
    >>> settings = TrainingConfig(n_steps=2, learning_rate=0.01)
    >>> report = train_on_ranks(Layout(), config, settings, [[[0, 1, 2]]] * 2)  # one rank
    >>> len(report.losses), report.sent("data")
    (2, 0)
    """
    mesh = make_mesh(pipeline=layout.pipeline, data=layout.data, tensor=layout.tensor)
    trainer = ParallelTrainer(seeded_model(config, seed), mesh, layout, settings)
    gradients = trainer.gradients
    left = _watch_buckets(gradients.model, gradients.copies)
    losses = []
    for batch in batches_of(texts):
        mesh.ledger.clear()
        losses.append(trainer.step(batch).loss)
    zero = gradients.zero
    return RankReport(
        losses=losses,
        memory=trainer.memory,
        resting=zero.parameter_bytes() if zero else trainer.memory.parameters,
        transfers=list(mesh.ledger.transfers),
        slots=list(gradients.run.slots),
        in_flight=gradients.run.most_in_flight,
        buckets=(left[-1] if left else 0, len(gradients.copies.buckets) if not zero else 0),
    )


def _watch_buckets(model: Decoder, copies: object | None) -> list[int]:
    """How many buckets have left when the first block's output has its gradient, step by step."""
    left: list[int] = []
    if copies is not None:

        def note(module: object, inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and output.requires_grad:
                output.register_hook(lambda slope: left.append(copies.started))

        model.blocks[0].register_forward_hook(note)
    return left
