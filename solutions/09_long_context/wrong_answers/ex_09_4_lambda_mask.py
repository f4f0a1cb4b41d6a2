"""Plausible wrong answers to ex-09-4, the mask of the Λ-shaped window."""

import torch


def _back(n_tokens):
    place = torch.arange(n_tokens)
    return place[:, None] - place[None, :]


def window_without_the_query(n_tokens, n_sinks, window):
    """The query is not counted, so the window holds one token too many."""
    back = _back(n_tokens)
    return (back >= 0) & ((back <= window) | (torch.arange(n_tokens) < n_sinks))


def sinks_see_ahead(n_tokens, n_sinks, window):
    """The first tokens are visible to all, also to those that stand before them."""
    back = _back(n_tokens)
    return ((back >= 0) & (back < window)) | (torch.arange(n_tokens) < n_sinks)


def only_sinks_ask(n_tokens, n_sinks, window):
    """The first *queries* see all of their past, instead of the first keys being seen by all."""
    back = _back(n_tokens)
    return (back >= 0) & ((back < window) | (torch.arange(n_tokens)[:, None] < n_sinks))


def both_at_once(n_tokens, n_sinks, window):
    """A key must be a sink *and* near."""
    back = _back(n_tokens)
    return (back >= 0) & (back < window) & (torch.arange(n_tokens) < n_sinks)


def no_sinks(n_tokens, n_sinks, window):
    """A plain sliding window: the first tokens drop out."""
    back = _back(n_tokens)
    return (back >= 0) & (back < window)


def one_sink_more(n_tokens, n_sinks, window):
    """Token number n_sinks is counted among the sinks."""
    back = _back(n_tokens)
    return (back >= 0) & ((back < window) | (torch.arange(n_tokens) <= n_sinks))


def sinks_use_up_the_window(n_tokens, n_sinks, window):
    """The sinks are part of the window, so fewer near tokens are seen."""
    back = _back(n_tokens)
    return (back >= 0) & ((back < window - n_sinks) | (torch.arange(n_tokens) < n_sinks))


def upside_down(n_tokens, n_sinks, window):
    """True is taken to mean hidden: what is kept is the middle."""
    back = _back(n_tokens)
    return ~((back >= 0) & ((back < window) | (torch.arange(n_tokens) < n_sinks)))


def zeros_and_ones(n_tokens, n_sinks, window):
    """Right, but as numbers: torch's attention would add them to the scores."""
    back = _back(n_tokens)
    return ((back >= 0) & ((back < window) | (torch.arange(n_tokens) < n_sinks))).float()
