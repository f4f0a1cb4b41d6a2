"""How well a model foretells text that it was not trained on."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from llm_course.training.accumulation import Batch, Loss, count_targets
from llm_course.training.loss import next_token_loss


@torch.no_grad()
def mean_loss(model: nn.Module, batches: Iterable[Batch], loss: Loss = next_token_loss) -> float:
    """The mean loss over all targets of all batches, in nats a token.

    Each batch counts by its targets. The model is used in the mode in which it is.

    Args:
        model: what is measured.
        batches: tokens and targets.
        loss: the mean loss of a batch.

    Shapes:
        tokens, targets ``b t``.

    Raises:
        ValueError: no target counts.

    >>> batches = [(torch.zeros(1, 2).long(), torch.tensor([[1, 1]])),
    ...            (torch.zeros(1, 1).long(), torch.tensor([[4]]))]
    >>> mean_loss(nn.Linear(1, 1), batches, lambda model, tokens, targets: targets.double().mean())
    2.0
    """
    device, total, n_targets = next(model.parameters()).device, 0.0, 0
    for tokens, targets in batches:
        n = count_targets(targets)
        if n:
            total += n * loss(model, tokens.to(device), targets.to(device)).item()
            n_targets += n
    if n_targets == 0:
        raise ValueError("batches: expected a target that counts, got none.")
    return total / n_targets


def bits_per_byte(loss: float, n_tokens: int, n_bytes: int) -> float:
    """A loss a token in units that do not depend on the tokenizer: ``loss / log 2 * tokens/bytes``.

    >>> bits_per_byte(math.log(4), n_tokens=3, n_bytes=12)
    0.5
    """
    return loss / math.log(2) * n_tokens / n_bytes
