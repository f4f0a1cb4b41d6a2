"""All shards as one long stream of ids, of which any part can be read: documents end to end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llm_course.data.packing.token_files import read_index
from llm_course.errors import CourseError


class TokenStream:
    """The tokens of a folder, memory-mapped: a position is the number of tokens before it.

    Args:
        folder: what ``token_files`` wrote.

    Raises:
        CourseError: the index or a shard is missing or damaged.

    >>> import tempfile
    >>> from llm_course.data.packing.token_files import write_index, write_shard
    >>> folder = Path(tempfile.mkdtemp())
    >>> shards = [write_shard(folder, "a", [[5, 6], [7]], 10), write_shard(folder, "b", [[8]], 10)]
    >>> write_index(folder, shards, vocab_size=10)
    >>> stream = TokenStream(folder)
    >>> tokens, documents = stream.read(1, 4)
    >>> tokens.tolist(), documents.tolist()
    ([6, 7, 8], [0, 1, 2])
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.index = read_index(self.folder)
        try:
            dtype = np.dtype(self.index["dtype"]).newbyteorder("<")
            self.vocab_size: int = self.index["vocab_size"]
            shards = [self._open(shard, dtype) for shard in self.index["shards"]]
        except (KeyError, TypeError) as error:
            raise CourseError(
                f"{self.folder}: expected an index of tokens, got {error!r}. Fix: build it again"
            ) from error
        self._shards: Sequence[np.ndarray] = [tokens for tokens, _ in shards]
        sizes = [len(tokens) for tokens in self._shards]
        self._shard_ends = np.cumsum(sizes, dtype=np.int64)
        lengths = np.concatenate([np.zeros(0, "<u4"), *(lengths for _, lengths in shards)])
        self.document_ends = np.cumsum(lengths, dtype=np.int64)

    def __len__(self) -> int:
        """How many tokens there are."""
        return int(self._shard_ends[-1]) if len(self._shard_ends) else 0

    @property
    def n_documents(self) -> int:
        """How many documents there are."""
        return len(self.document_ends)

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The ids from one position to another, and the number of the document of each.

        Shapes:
            returns two arrays ``stop - start``, int64; fewer where the stream ends.

        Raises:
            ValueError: a position is negative, or they are out of order.
        """
        if not 0 <= start <= stop:
            raise ValueError(f"start, stop: expected 0 <= start <= stop, got {start} and {stop}.")
        stop = min(stop, len(self))
        pieces = [np.zeros(0, dtype=np.int64)]
        shard = int(np.searchsorted(self._shard_ends, start, side="right"))
        while start < stop:
            tokens = self._shards[shard]
            begin = int(self._shard_ends[shard]) - len(tokens)
            pieces.append(tokens[start - begin : stop - begin].astype(np.int64))
            start, shard = start + len(pieces[-1]), shard + 1
        ids = np.concatenate(pieces)
        places = np.arange(stop - len(ids), stop)
        return ids, np.searchsorted(self.document_ends, places, side="right")

    def document(self, number: int) -> np.ndarray:
        """The ids of one document.

        Raises:
            IndexError: there is no such document.
        """
        if not 0 <= number < self.n_documents:
            raise IndexError(f"number: expected 0 to {self.n_documents - 1}, got {number}.")
        start = int(self.document_ends[number - 1]) if number else 0
        return self.read(start, int(self.document_ends[number]))[0]

    def _open(self, shard: dict[str, Any], dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """The ids and the lengths of a shard, once their sizes are those of the index."""
        found = []
        sizes = ("tokens", dtype, "n_tokens"), ("lengths", np.dtype("<u4"), "n_documents")
        for suffix, kind, count in sizes:
            path = self.folder / f"{shard['name']}.{suffix}"
            wanted, size = shard[count] * kind.itemsize, -1
            if path.is_file():
                size = path.stat().st_size
            if size != wanted:
                got = "no file" if size < 0 else f"{size} bytes"
                raise CourseError(f"{path}: expected {wanted} bytes, got {got}. Fix: build again")
            # An empty file cannot be mapped.
            found.append(np.memmap(path, kind, mode="r") if wanted else np.zeros(0, kind))
        tokens, lengths = found
        if int(lengths.sum(dtype=np.int64)) != len(tokens):
            raise CourseError(
                f"{self.folder / shard['name']}.lengths: expected lengths that add up to "
                f"{len(tokens)}, got {int(lengths.sum(dtype=np.int64))}. Fix: build again"
            )
        return tokens, lengths
