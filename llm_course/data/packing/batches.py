"""Batches of fixed size cut from the stream of tokens, resumable at an exact token.

The stream is cut into rows wherever a row is full, so no position is wasted; a document that is
cut goes on in the next row as if it began there. Every token is read once, in order. Leaves out
shuffling: the order is that of the files, which the mixture decided.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from llm_course.data.packing.document_mask import (
    PADDING,
    document_mask,
    document_targets,
    restarting_positions,
)
from llm_course.data.packing.token_stream import TokenStream


@dataclass(frozen=True, kw_only=True)
class PackedBatch:
    """A batch of packed rows.

    Args:
        tokens: what the model reads.
        targets: what follows each token in its document; -100 where nothing does.
        documents: which document of the stream each token belongs to; -1 is padding.
        position: the position in the stream after this batch: where to go on.

    Shapes:
        tokens, targets, documents ``b t``, int64.
    """

    tokens: Tensor
    targets: Tensor
    documents: Tensor
    position: int

    @property
    def mask(self) -> Tensor:
        """The block-diagonal causal mask, ``b 1 t t``, True = may attend."""
        return document_mask(self.documents)

    @property
    def positions(self) -> Tensor:
        """The positions, which restart with each document, ``b t``."""
        return restarting_positions(self.documents)


def packed_batches(
    stream: TokenStream, context_length: int, batch_size: int, position: int = 0
) -> Iterator[PackedBatch]:
    """The batches from a position of the stream to its end; the last one is filled with padding.

    Args:
        stream: the tokens.
        context_length: tokens a row.
        batch_size: rows a batch.
        position: where to begin: 0, or the ``position`` of the last batch that was used.

    Raises:
        ValueError: a size is not positive, or the position lies outside the stream.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from llm_course.data.packing.token_files import write_index, write_shard
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_index(folder, [write_shard(folder, "a", [[5, 6], [7, 8, 9]], 10)], vocab_size=10)
    >>> batches = list(packed_batches(TokenStream(folder), context_length=4, batch_size=1))
    >>> batches[0].tokens.tolist(), batches[0].targets.tolist(), batches[0].positions.tolist()
    ([[5, 6, 7, 8]], [[6, -100, 8, 9]], [[0, 1, 0, 1]])
    >>> batches[1].tokens.tolist(), batches[1].targets.tolist()
    ([[9, 0, 0, 0]], [[-100, -100, -100, -100]])
    """
    for name, size in (("context_length", context_length), ("batch_size", batch_size)):
        if size < 1:
            raise ValueError(f"{name}: expected at least 1, got {size}.")
    if not 0 <= position <= len(stream):
        raise ValueError(
            f"position: expected 0 to {len(stream)}, the length of the stream, got {position}."
        )
    return _batches(stream, context_length, batch_size, position)


def _batches(
    stream: TokenStream, context_length: int, batch_size: int, position: int
) -> Iterator[PackedBatch]:
    """The generator behind ``packed_batches``, whose arguments are checked before it starts."""
    size = context_length * batch_size
    while position < len(stream):
        # One token more: the successor of the last.
        ids, documents = stream.read(position, position + size + 1)
        missing = size + 1 - len(ids)
        tokens = _windows(np.pad(ids, (0, missing)), context_length)
        owners = _windows(np.pad(documents, (0, missing), constant_values=PADDING), context_length)
        position = min(position + size, len(stream))
        yield PackedBatch(
            tokens=tokens[:, :-1].contiguous(),
            targets=document_targets(tokens, owners),
            documents=owners[:, :-1].contiguous(),
            position=position,
        )


def _windows(values: np.ndarray, context_length: int) -> Tensor:
    """Rows of ``context_length + 1`` that overlap by one.

    Shapes:
        values ``b·t + 1``; returns ``b t+1``.
    """
    rows = rearrange(torch.from_numpy(values[:-1]), "(b t) -> b t", t=context_length)
    following = torch.from_numpy(values[context_length::context_length])
    return torch.cat([rows, rearrange(following, "b -> b 1")], dim=1)
