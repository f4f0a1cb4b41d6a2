"""Plausible wrong answers to ex-04-7, mask and positions of a packed row."""

import torch


def _same(documents):
    return documents[:, None, :, None] == documents[:, None, None, :]


def _positions(documents):
    places = torch.arange(documents.shape[1]).expand_as(documents)
    begins = torch.ones_like(documents, dtype=torch.bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return places - places.where(begins, 0).cummax(dim=1).values


def causal_only(documents):
    """The plain causal mask: every text sees the ones before it."""
    t = documents.shape[1]
    mask = torch.ones(t, t, dtype=torch.bool).tril().expand(documents.shape[0], 1, t, t)
    return mask, _positions(documents)


def not_causal(documents):
    """Block-diagonal, but a token sees what comes later in its document."""
    return _same(documents), _positions(documents)


def earlier_documents(documents):
    """Numbers are compared with >=: a document may look at those with smaller numbers."""
    query, key = documents[:, None, :, None], documents[:, None, None, :]
    return (query >= key).tril(), _positions(documents)


def inverted(documents):
    """True where attention is forbidden."""
    return ~_same(documents).tril(), _positions(documents)


def strictly_before(documents):
    """The diagonal is missing: a token does not see itself."""
    return _same(documents).tril(diagonal=-1), _positions(documents)


def counting_on(documents):
    """The mask is right; the positions run through the whole row."""
    places = torch.arange(documents.shape[1]).expand_as(documents)
    return _same(documents).tril(), places


def from_one(documents):
    """Positions count from 1 in each document."""
    return _same(documents).tril(), _positions(documents) + 1


def row_number_times_length(documents):
    """All documents are taken to be as long as the first."""
    first = (documents == documents[:, :1]).sum(dim=1, keepdim=True)
    places = torch.arange(documents.shape[1]).expand_as(documents)
    return _same(documents).tril(), places % first


def no_head_axis(documents):
    """The axis of the heads is missing: (b, t, t)."""
    return _same(documents).tril()[:, 0], _positions(documents)
