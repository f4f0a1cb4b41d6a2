"""Plausible wrong answers to ex-09-3, the positions and the mask of parallel windows."""

import torch


def _owner(window_lengths, n_task):
    parts = [torch.full((n,), i) for i, n in enumerate([*window_lengths, n_task])]
    return torch.cat(parts)


def _positions(window_lengths, n_task):
    starts = [torch.arange(n) for n in window_lengths]
    return torch.cat([*starts, max(window_lengths) + torch.arange(n_task)])


def _mask(window_lengths, n_task):
    owner = _owner(window_lengths, n_task)
    asks = owner[:, None]
    return ((asks == owner) | (asks == len(window_lengths))).tril()


def positions_run_on(window_lengths, n_task):
    """Positions are counted through the windows, and leave the trained range."""
    mask = _mask(window_lengths, n_task)
    return torch.arange(len(mask)), mask


def task_behind_all_tokens(window_lengths, n_task):
    """The task stands behind the sum of the windows, not behind the longest."""
    starts = [torch.arange(n) for n in window_lengths]
    task = sum(window_lengths) + torch.arange(n_task)
    return torch.cat([*starts, task]), _mask(window_lengths, n_task)


def task_behind_the_last_window(window_lengths, n_task):
    """The task stands behind the last window, and shares positions with a longer one."""
    starts = [torch.arange(n) for n in window_lengths]
    task = window_lengths[-1] + torch.arange(n_task)
    return torch.cat([*starts, task]), _mask(window_lengths, n_task)


def task_begins_at_zero(window_lengths, n_task):
    """The task counts from 0 as well, like one more window."""
    starts = [torch.arange(n) for n in [*window_lengths, n_task]]
    return torch.cat(starts), _mask(window_lengths, n_task)


def one_position_free(window_lengths, n_task):
    """A position is left free between the longest window and the task."""
    starts = [torch.arange(n) for n in window_lengths]
    task = max(window_lengths) + 1 + torch.arange(n_task)
    return torch.cat([*starts, task]), _mask(window_lengths, n_task)


def windows_see_earlier_ones(window_lengths, n_task):
    """The ordinary causal mask: a later window sees the earlier ones."""
    size = sum(window_lengths) + n_task
    mask = torch.ones(size, size, dtype=torch.bool).tril()
    return _positions(window_lengths, n_task), mask


def task_sees_itself_alone(window_lengths, n_task):
    """The task is one more window: nobody has read the text."""
    owner = _owner(window_lengths, n_task)
    return _positions(window_lengths, n_task), (owner[:, None] == owner).tril()


def sees_ahead(window_lengths, n_task):
    """Tokens of a window, and of the task, see those that follow."""
    owner = _owner(window_lengths, n_task)
    asks = owner[:, None]
    mask = (asks == owner) | (asks == len(window_lengths))
    return _positions(window_lengths, n_task), mask


def upside_down(window_lengths, n_task):
    """True is taken to mean hidden."""
    return _positions(window_lengths, n_task), ~_mask(window_lengths, n_task)


def keys_down_the_side(window_lengths, n_task):
    """Rows and columns are swapped."""
    return _positions(window_lengths, n_task), _mask(window_lengths, n_task).T
