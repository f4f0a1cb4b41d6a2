"""Masked language modelling: hide some tokens of a text, and learn to tell which they were."""

from collections.abc import Sequence

import torch
from torch import Tensor

from llm_course.training.loss import IGNORE


def hide_tokens(
    tokens: Tensor,
    chance: Tensor,
    fate: Tensor,
    drawn: Tensor,
    mask_id: int,
    *,
    share: float = 0.15,
    special_ids: Sequence[int] = (),
) -> tuple[Tensor, Tensor]:
    """Choose tokens by given numbers: hide those of a small fate, change some, leave some.

    Chosen is what has a ``chance`` below the share and is not special. Of these a ``fate`` below
    0.8 hides, one below 0.9 puts the drawn token there, and any other leaves the token.

    Args:
        tokens: ids of texts.
        chance: even numbers from 0 to 1, which say what is chosen.
        fate: others, which say what happens to the chosen.
        drawn: token ids, for those that are changed.
        mask_id: the token that hides.
        share: of the tokens that are chosen.
        special_ids: tokens that are never chosen (padding, begin, end).

    Shapes:
        tokens, chance, fate and drawn of one shape; returns inputs and targets of that shape,
        targets ``IGNORE`` where nothing is asked.

    Raises:
        ValueError: the share is not between 0 and 1.

    Source:
        Devlin et al. 2019, arXiv:1810.04805, section 3.1 and appendix A.1.

    >>> tokens, even = torch.tensor([5, 6, 7, 8]), torch.tensor([0.1, 0.1, 0.1, 0.9])
    >>> fate, drawn = torch.tensor([0.5, 0.85, 0.95, 0.5]), torch.tensor([4, 4, 4, 4])
    >>> inputs, targets = hide_tokens(tokens, even, fate, drawn, mask_id=0)
    >>> inputs.tolist(), targets.tolist()
    ([0, 4, 7, 8], [5, 6, 7, -100])
    """
    if not 0 < share <= 1:
        raise ValueError(f"share: expected above 0 and at most 1, got {share}.")
    special = torch.isin(tokens, torch.tensor(list(special_ids), device=tokens.device))
    chosen = (chance < share) & ~special
    hidden, changed = chosen & (fate < 0.8), chosen & (fate >= 0.8) & (fate < 0.9)
    inputs = torch.where(hidden, mask_id, torch.where(changed, drawn, tokens))
    return inputs, torch.where(chosen, tokens, IGNORE)


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
    shape, device = tokens.shape, tokens.device
    chance, fate = (torch.rand(shape, generator=generator).to(device) for _ in range(2))
    drawn = torch.randint(vocab_size, shape, generator=generator).to(device)
    return hide_tokens(tokens, chance, fate, drawn, mask_id, share=share, special_ids=special_ids)
