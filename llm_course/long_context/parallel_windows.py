"""Parallel context windows: a long text is read in pieces that stand side by side.

Every window has the positions 0, 1, 2, ... and does not see the others; the tokens of the task come
behind the longest of them and see all. So no position lies outside what the model was trained on,
and no window is further from the task than another. Leaves out sharing the begin-of-text token
between windows, which is up to whoever cuts the text.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from einops import rearrange
from torch import Tensor

from llm_course.model.decoder import Decoder

_TASK = -1  # the owner of a token that belongs to no window


def parallel_positions(window_lengths: Sequence[int], n_task: int) -> Tensor:
    """The position of every token: windows side by side, then the task behind the longest.

    Args:
        window_lengths: tokens of each window.
        n_task: tokens of the task.

    Shapes:
        returns ``t``, with ``t = sum(window_lengths) + n_task``.

    Raises:
        ValueError: there is no window, one is empty, or there is no task.

    Source:
        Ratner et al. 2023, arXiv:2212.10947, section 3 (the position function of figure 2).

    >>> parallel_positions([3, 2], n_task=2).tolist()
    [0, 1, 2, 0, 1, 3, 4]
    """
    _check_lengths(window_lengths, n_task)
    windows = [torch.arange(length) for length in window_lengths]
    return torch.cat([*windows, max(window_lengths) + torch.arange(n_task)])


def parallel_mask(window_lengths: Sequence[int], n_task: int) -> Tensor:
    """Who may look at whom: a window at its own past, the task at all windows and its own past.

    Args:
        window_lengths: tokens of each window.
        n_task: tokens of the task.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: there is no window, one is empty, or there is no task.

    Source:
        Ratner et al. 2023, arXiv:2212.10947, section 3 (the attention mask of figure 2).

    >>> parallel_mask([1, 2], n_task=1).int().tolist()
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1]]
    """
    _check_lengths(window_lengths, n_task)
    lengths = torch.tensor([*window_lengths, n_task])
    owners = torch.tensor([*range(len(window_lengths)), _TASK])
    owner = owners.repeat_interleave(lengths)
    asks, answers = rearrange(owner, "q -> q 1"), rearrange(owner, "k -> 1 k")
    allowed = (asks == answers) | (asks == _TASK)
    return allowed.tril()  # the past only, in the order in which the tokens are laid out


def parallel_layout(window_lengths: Sequence[int], n_task: int) -> tuple[Tensor, Tensor]:
    """Positions and mask of windows that stand side by side with the task behind them.

    Shapes:
        returns ``t`` and ``q k`` (bool, True = may attend).

    Raises:
        ValueError: there is no window, one is empty, or there is no task.

    Source:
        Ratner et al. 2023, arXiv:2212.10947, section 3.

    >>> positions, mask = parallel_layout([1, 2], n_task=1)
    >>> positions.tolist(), mask.sum(dim=1).tolist()
    ([0, 0, 1, 2], [1, 1, 2, 4])
    """
    return parallel_positions(window_lengths, n_task), parallel_mask(window_lengths, n_task)


def parallel_logits(
    model: Decoder, windows: Sequence[Sequence[int]], task: Sequence[int]
) -> Tensor:
    """The logits after each token of the task, which has read all windows.

    With one window this is the ordinary model on ``window + task``.

    Args:
        model: any decoder whose positions can be given (RoPE, learned, sinusoidal).
        windows: token ids of each.
        task: token ids of the task.

    Shapes:
        returns ``n_task v``.

    Raises:
        ValueError: a window is empty, there is no task, or the longest window and the task exceed
            the model's context.

    Source:
        Ratner et al. 2023, arXiv:2212.10947, section 3.
    """
    lengths = [len(window) for window in windows]
    check_windows(lengths, len(task), model.config.context_length)
    device = model.output_weight.device
    tokens = [token for part in (*windows, task) for token in part]
    positions, mask = (part.to(device) for part in parallel_layout(lengths, len(task)))
    return model(torch.tensor([tokens], device=device), positions, mask)[0, -len(task) :]


def check_windows(window_lengths: Sequence[int], n_task: int, context_length: int) -> None:
    """Refuse windows that are empty, or longer than the model's context leaves room for.

    Raises:
        ValueError: they are.

    >>> check_windows([6, 9], n_task=4, context_length=12)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: windows: expected at most context_length - n_task = 8 tokens each, got 9. Fix: ...
    """
    _check_lengths(window_lengths, n_task)
    room = context_length - n_task
    if max(window_lengths) > room:
        raise ValueError(
            f"windows: expected at most context_length - n_task = {room} tokens each, "
            f"got {max(window_lengths)}. Fix: cut the text into more windows."
        )


def cut_windows(tokens: Sequence[int], n_windows: int) -> list[list[int]]:
    """A text in consecutive pieces whose lengths differ by one at most, the longer ones first.

    Raises:
        ValueError: there are fewer tokens than windows, or no window.

    >>> cut_windows([1, 2, 3, 4, 5], 2)
    [[1, 2, 3], [4, 5]]
    """
    if not 1 <= n_windows <= len(tokens):
        raise ValueError(
            f"n_windows: expected 1 to {len(tokens)}, the number of tokens, got {n_windows}."
        )
    size, longer = divmod(len(tokens), n_windows)
    starts = [i * size + min(i, longer) for i in range(n_windows + 1)]
    return [list(tokens[start:end]) for start, end in pairwise(starts)]


def _check_lengths(window_lengths: Sequence[int], n_task: int) -> None:
    if not window_lengths or min(window_lengths) < 1:
        raise ValueError(
            f"window_lengths: expected at least one, each 1 or more, got {list(window_lengths)}."
        )
    if n_task < 1:
        raise ValueError(f"n_task: expected 1 or more, got {n_task}.")
