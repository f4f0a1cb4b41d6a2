"""The state of a training run: all that its next step depends on, but for the batch.

``begin_training`` makes it, ``train`` moves it on, and a checkpoint keeps it: as named tensors and
plain values, so that no pickle is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from llm_course.training.config import TrainingConfig
from llm_course.training.loss_scaling import LossScaler
from llm_course.training.optimizer import make_optimizer
from llm_course.training.precision import scaler_for


@dataclass
class TrainingState:
    """What a run is made of.

    Args:
        model: the model, as its maker made it.
        prepared: the same as the loss calls it: wrapped or sharded by a strategy, or itself.
        optimizer: with its moments.
        scaler: of the loss, in fp16.
        step: how many steps are done.
    """

    model: nn.Module
    prepared: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: LossScaler | None
    step: int = 0


def begin_training(
    model: nn.Module, config: TrainingConfig, prepared: nn.Module | None = None
) -> TrainingState:
    """The state before the first step.

    Args:
        model: what is trained.
        config: the numbers of the run.
        prepared: what a strategy made of the model.

    >>> begin_training(nn.Linear(2, 3), TrainingConfig(n_steps=1, learning_rate=0.1)).step
    0
    """
    optimizer = make_optimizer(
        model,
        config.learning_rate,
        weight_decay=config.weight_decay,
        betas=config.betas,
        eps=config.eps,
        fused=config.fused,
    )
    return TrainingState(model, prepared or model, optimizer, scaler_for(config.precision))


def state_tensors(state: TrainingState) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A state as named tensors and plain values.

    Tensors: ``model/NAME``, ``optimizer/NAME/KEY`` with the name of the weight, ``random/cpu`` and
    ``random/cuda/I``. Values: the step, the numbers of the optimizer that are no tensors, and the
    loss scale.

    Returns:
        tensors and values; the tensors are those of the state itself, not copies.
    """
    tensors = {f"model/{name}": weight for name, weight in state.model.state_dict().items()}
    numbers: dict[str, dict[str, float]] = {}
    for name, weight in state.model.named_parameters():
        for key, value in state.optimizer.state.get(weight, {}).items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{name}/{key}"] = value
            else:
                numbers.setdefault(name, {})[key] = value
    tensors["random/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        for number, found in enumerate(torch.cuda.get_rng_state_all()):
            tensors[f"random/cuda/{number}"] = found
    scale = None if state.scaler is None else state.scaler.state_dict()
    return tensors, {"step": state.step, "optimizer": numbers, "scaler": scale}


def restore_state(
    state: TrainingState,
    tensors: Mapping[str, Tensor],
    values: Mapping[str, Any],
    partial: bool = False,
) -> None:
    """Bring a state back to what ``state_tensors`` gave, in place; the global generators too.

    Args:
        state: of this process.
        tensors: the whole tensors.
        values: what came with them.
        partial: as for ``restore_targets``.

    Raises:
        ValueError: a tensor of the model is missing, unknown or of another shape.
    """
    targets = restore_targets(state, tensors, partial)
    for name, target in targets.items():
        found = tensors[name]
        if isinstance(target, DTensor):  # each process has read the whole, and keeps its part
            found = distribute_tensor(
                found.to(target.device), target.device_mesh, target.placements, src_data_rank=None
            )
        target.copy_(found)
    adopt_restored(state, targets, values)


def restore_targets(
    state: TrainingState, kept: Mapping[str, Tensor], partial: bool = False
) -> dict[str, Tensor]:
    """What has to be filled with the tensors of a checkpoint, before ``adopt_restored``.

    The weights are those of the state itself; the optimizer's tensors are new, and laid out over
    processes as their weights are.

    Args:
        state: of this process.
        kept: the whole tensors of the checkpoint, by name; only dtypes and shapes are looked at.
        partial: whether other processes have some of the model's tensors.

    Raises:
        ValueError: a tensor of the model is missing, unknown or of another shape.
    """
    weights = state.model.state_dict()
    found = {n.removeprefix("model/"): t for n, t in kept.items() if n.startswith("model/")}
    _check_names(weights, {n: t for n, t in found.items() if n in weights or not partial})
    targets = {f"model/{name}": weight for name, weight in weights.items()}
    for name, weight in state.model.named_parameters():
        prefix = f"optimizer/{name}/"
        for key in (n for n in kept if n.startswith(prefix)):
            like, dtype = kept[key], kept[key].dtype
            alike = like.shape == weight.shape
            targets[key] = (
                torch.zeros_like(weight, dtype=dtype, requires_grad=False)
                if alike
                else torch.zeros(like.shape, dtype=dtype, device=weight.device)
            )
    random = ["random/cpu", *(f"random/cuda/{i}" for i in range(torch.cuda.device_count()))]
    for name in (name for name in random if name in kept):
        targets[name] = torch.zeros(kept[name].shape, dtype=kept[name].dtype)
    return targets


def adopt_restored(
    state: TrainingState, targets: Mapping[str, Tensor], values: Mapping[str, Any]
) -> None:
    """Let a state go on from what filled its ``restore_targets``, and from the plain values."""
    state.optimizer.state.clear()
    for name, weight in state.model.named_parameters():
        prefix = f"optimizer/{name}/"
        found = {n.removeprefix(prefix): t for n, t in targets.items() if n.startswith(prefix)}
        found |= values["optimizer"].get(name, {})
        if found:
            state.optimizer.state[weight] = found
    state.step = values["step"]
    if state.scaler is not None and values["scaler"] is not None:
        state.scaler.load_state_dict(values["scaler"])
    torch.set_rng_state(targets["random/cpu"])
    for number in range(torch.cuda.device_count()):
        if f"random/cuda/{number}" in targets:
            torch.cuda.set_rng_state(targets[f"random/cuda/{number}"], number)


def _check_names(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    for name in sorted(expected.keys() | found.keys()):
        wanted = tuple(expected[name].shape) if name in expected else "no such tensor"
        got = tuple(found[name].shape) if name in found else "no such tensor"
        if wanted != got:
            raise ValueError(f"model/{name}: expected {wanted}, got {got}.")
