"""Penalties: logits that depend on which tokens are there already.

Three rules against repetition, each a pure function of the logits and of how often each token of
the vocabulary has occurred. The repetition penalty counts the prompt as well as what was written;
the other two, as in the OpenAI interface, what was written alone.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from llm_course.shapes import check_shape


def token_counts(
    tokens: Sequence[int], vocab_size: int, device: torch.device | str | None = None
) -> Tensor:
    """How often each token of the vocabulary occurs.

    Shapes:
        returns ``v``, int64.

    >>> token_counts([3, 1, 3], vocab_size=5).tolist()
    [0, 1, 0, 2, 0]
    """
    ids = torch.tensor(tokens, dtype=torch.int64, device=device)
    return torch.bincount(ids, minlength=vocab_size)


def penalise_repetition(logits: Tensor, counts: Tensor, penalty: float) -> Tensor:
    """Make every token that occurred less likely, by division.

    ``l_i / penalty`` if ``l_i >= 0``, else ``l_i * penalty``, for the tokens that occurred, however
    often. The rule depends on where zero lies, which softmax does not care about: the same model
    with all logits shifted is penalised differently.

    Args:
        logits: of the next token.
        counts: how often each token occurred, prompt included.
        penalty: 1 changes nothing; below 1 repetition is favoured.

    Shapes:
        logits, counts ``... v``; returns ``... v``.

    Raises:
        ValueError: the penalty is not a positive number.

    Source:
        Keskar et al. 2019, arXiv:1909.05858, section 4.1; with the division of negative logits
        turned round, as everybody does since.

    >>> penalise_repetition(torch.tensor([4.0, -1.0, 3.0]), torch.tensor([2, 1, 0]), 2.0).tolist()
    [2.0, -2.0, 3.0]
    """
    if not 0 < penalty < math.inf:
        raise ValueError(f"penalty: expected a positive number, got {penalty}. Fix: 1 for none.")
    check_shape(counts, "... v", "counts", v=logits.shape[-1])
    penalised = torch.where(logits < 0, logits * penalty, logits / penalty)
    return torch.where(counts > 0, penalised, logits)


def penalise_frequency(logits: Tensor, counts: Tensor, penalty: float) -> Tensor:
    """Subtract in proportion to how often a token was written: ``l_i - penalty * n_i``.

    Args:
        logits: of the next token.
        counts: how often each token was written, without the prompt.
        penalty: logits for each occurrence; 0 changes nothing, below 0 repetition is favoured.

    Shapes:
        logits, counts ``... v``; returns ``... v``.

    Source:
        OpenAI API reference, ``frequency_penalty``.

    >>> penalise_frequency(torch.tensor([4.0, 3.0]), torch.tensor([3, 0]), 0.5).tolist()
    [2.5, 3.0]
    """
    check_shape(counts, "... v", "counts", v=logits.shape[-1])
    return logits - penalty * counts


def penalise_presence(logits: Tensor, counts: Tensor, penalty: float) -> Tensor:
    """Subtract once from every token that was written: ``l_i - penalty`` if ``n_i > 0``.

    Args:
        logits: of the next token.
        counts: how often each token was written, without the prompt.
        penalty: 0 changes nothing; below 0 repetition is favoured.

    Shapes:
        logits, counts ``... v``; returns ``... v``.

    Source:
        OpenAI API reference, ``presence_penalty``.

    >>> penalise_presence(torch.tensor([4.0, 3.0]), torch.tensor([3, 0]), 0.5).tolist()
    [3.5, 3.0]
    """
    check_shape(counts, "... v", "counts", v=logits.shape[-1])
    return logits - penalty * (counts > 0)
