"""Several documents in one row, as if each stood alone: mask, positions and targets.

A row that holds the end of one document and the beginning of another must not let the second look
at the first, count on from its positions, or be foretold from it. All three follow from one thing:
which document each token belongs to.
"""

import torch
from einops import rearrange
from torch import Tensor

from llm_course.shapes import check_shape

PADDING = -1
"""The document of a position that holds no token."""


def documents_of(tokens: Tensor, end: int) -> Tensor:
    """Which document of its row each token belongs to, where each document ends with one token.

    For a training step that is given tokens alone. The numbers count within a row, from 0.

    Args:
        tokens: packed rows.
        end: the id that ends a document; it belongs to the document that it ends.

    Shapes:
        tokens ``b t``; returns ``b t``, int64.

    Raises:
        ShapeError: the tokens are not ``b t``.

    >>> documents_of(torch.tensor([[5, 9, 6, 7, 9, 8]]), end=9).tolist()
    [[0, 0, 1, 1, 1, 2]]
    """
    check_shape(tokens, "b t", "tokens")
    ends = (tokens == end).long()
    return ends.cumsum(dim=1) - ends


def document_mask(documents: Tensor) -> Tensor:
    """The block-diagonal causal mask: a token sees what came before it in its own document.

    Query ``i`` may attend to key ``j`` if ``j <= i`` and ``document(i) == document(j)``.

    Args:
        documents: which document each token belongs to, ``PADDING`` where there is none.

    Shapes:
        documents ``b t``; returns ``b 1 q k``, bool, True = may attend.

    Raises:
        ShapeError: the documents are not ``b t``.
        TypeError: they are not integers.

    Source:
        Raffel et al. 2020, arXiv:1910.10683 pack rows without such a mask; Krell et al. 2021,
        arXiv:2107.02027, section 3.2.1, add it.

    >>> document_mask(torch.tensor([[0, 0, 1]])).int().tolist()
    [[[[1, 0, 0], [1, 1, 0], [0, 0, 1]]]]
    """
    _check(documents)
    query, key = rearrange(documents, "b q -> b 1 q 1"), rearrange(documents, "b k -> b 1 1 k")
    return (query == key).tril()


def restarting_positions(documents: Tensor) -> Tensor:
    """The position of each token in its own document, or in the part of it that the row holds.

    Shapes:
        documents ``b t``; returns ``b t``, int64.

    Raises:
        ShapeError: the documents are not ``b t``.
        TypeError: they are not integers.

    Source:
        Krell et al. 2021, arXiv:2107.02027, section 3.2.2.

    >>> restarting_positions(torch.tensor([[4, 4, 4, 7, 7]])).tolist()
    [[0, 1, 2, 0, 1]]
    """
    _check(documents)
    places = torch.arange(documents.shape[1], device=documents.device).expand_as(documents)
    starts = torch.ones_like(documents, dtype=torch.bool)
    starts[:, 1:] = documents[:, 1:] != documents[:, :-1]
    # The place of the last start at or before each token.
    return places - places.where(starts, 0).cummax(dim=1).values


def mask_and_positions(documents: Tensor) -> tuple[Tensor, Tensor]:
    """What a model has to be given with a packed row: ``document_mask``, ``restarting_positions``.

    Shapes:
        documents ``b t``; returns ``b 1 q k``, bool, and ``b t``, int64.

    Raises:
        ShapeError: the documents are not ``b t``.
        TypeError: they are not integers.

    >>> mask, positions = mask_and_positions(torch.tensor([[3, 3, 8]]))
    >>> mask.int().tolist(), positions.tolist()
    ([[[[1, 0, 0], [1, 1, 0], [0, 0, 1]]]], [[0, 1, 0]])
    """
    return document_mask(documents), restarting_positions(documents)


def document_targets(tokens: Tensor, documents: Tensor, ignore_index: int = -100) -> Tensor:
    """What follows each token in its own document; nothing follows the last one.

    Args:
        tokens: one more than the row has, so that its last token has a successor too.
        documents: which document each of them belongs to.
        ignore_index: the target of a token that has no successor, as in the loss.

    Shapes:
        tokens, documents ``b t+1``; returns ``b t``.

    Raises:
        ShapeError: the shapes differ.
        TypeError: the documents are not integers.

    >>> document_targets(torch.tensor([[5, 6, 7, 8]]), torch.tensor([[0, 0, 1, 1]])).tolist()
    [[6, -100, 8]]
    """
    _check(documents)
    sizes = check_shape(documents, "b t", "documents")
    check_shape(tokens, "b t", "tokens", **sizes)
    here, following = documents[:, :-1], documents[:, 1:]
    return tokens[:, 1:].where((here == following) & (here != PADDING), ignore_index)


def _check(documents: Tensor) -> None:
    check_shape(documents, "b t", "documents")
    if documents.is_floating_point() or documents.dtype == torch.bool:
        raise TypeError(f"documents: expected integers, got {documents.dtype}.")
