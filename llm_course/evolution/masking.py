"""Masked language modelling: hide some tokens of a text, and learn to tell which they were."""

from collections.abc import Sequence

import torch
from torch import Tensor

from llm_course.training.loss import IGNORE


def mask_tokens(
    tokens: Tensor,
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator,
    *,
    share: float = 0.15,
    special_ids: Sequence[int] = (),
) -> tuple[Tensor, Tensor]:
    """Choose some tokens to be predicted; of these hide 80 %, change 10 %, and leave 10 %.

    A model that was only ever asked at ``[MASK]`` would learn nothing about tokens that it sees;
    with the other two it must have an opinion about every place.

    Args:
        tokens: ids of texts.
        mask_id: the token that hides.
        vocab_size: from how many tokens a change is drawn, any of them, special ones too.
        generator: the only source of chance.
        share: of the tokens that are chosen.
        special_ids: tokens that are never chosen (padding, begin, end).

    Shapes:
        tokens of any shape; returns inputs and targets of that shape, targets ``IGNORE`` where
        nothing is asked.

    Raises:
        ValueError: the share is not between 0 and 1.

    Source:
        Devlin et al. 2019, arXiv:1810.04805, section 3.1 and appendix A.1.

    >>> tokens = torch.tensor([5, 6, 7])
    >>> inputs, targets = mask_tokens(tokens, 0, 9, torch.Generator().manual_seed(0), share=1.0)
    >>> targets.tolist()
    [5, 6, 7]
    """
    if not 0 < share <= 1:
        raise ValueError(f"share: expected above 0 and at most 1, got {share}.")
    shape, device = tokens.shape, tokens.device

    def draw() -> Tensor:
        return torch.rand(shape, generator=generator).to(device)

    special = torch.isin(tokens, torch.tensor(list(special_ids), device=device))
    chosen = (draw() < share) & ~special
    fate = draw()
    hidden, changed = chosen & (fate < 0.8), chosen & (fate >= 0.8) & (fate < 0.9)
    other = torch.randint(vocab_size, shape, generator=generator).to(device)
    inputs = torch.where(hidden, mask_id, torch.where(changed, other, tokens))
    return inputs, torch.where(chosen, tokens, IGNORE)
