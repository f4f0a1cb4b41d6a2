"""All shards as one long stream of ids, of which any part can be read: documents end to end."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from llm_course.data.packing.token_files import read_index
from llm_course.errors import CourseError

MAPPED = 64
"""Shards that are mapped at a time."""


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
            self._dtype = np.dtype(self.index["dtype"]).newbyteorder("<")
            self.vocab_size: int = self.index["vocab_size"]
            lengths = [self._lengths(shard) for shard in self.index["shards"]]
            sizes = [shard["n_tokens"] for shard in self.index["shards"]]
        except (KeyError, TypeError) as error:
            raise CourseError(
                f"{self.folder}: expected an index of tokens, got {error!r}. Fix: build it again"
            ) from error
        self._shard_ends = np.cumsum(sizes, dtype=np.int64)
        self.document_ends = np.cumsum(
            np.concatenate([np.zeros(0, "<u4"), *lengths]), dtype=np.int64
        )
        # Each map holds a file open, and a process may hold only so many.
        self._tokens = lru_cache(maxsize=MAPPED)(self._map)

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
        while start < stop:
            # The first shard that ends after it; one that is empty never does.
            shard = int(np.searchsorted(self._shard_ends, start, side="right"))
            tokens = self._tokens(shard)
            begin = int(self._shard_ends[shard]) - len(tokens)
            pieces.append(tokens[start - begin : stop - begin].astype(np.int64))
            start += len(pieces[-1])
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

    def _lengths(self, shard: dict[str, Any]) -> np.ndarray:
        """The lengths of a shard's documents, once the files are those of the index."""
        self._check(shard, "tokens", shard["n_tokens"] * self._dtype.itemsize)
        path = self._check(shard, "lengths", shard["n_documents"] * 4)
        lengths = np.fromfile(path, "<u4")
        total = int(lengths.sum(dtype=np.int64))
        if total != shard["n_tokens"]:
            raise CourseError(
                f"{path}: expected lengths that add up to {shard['n_tokens']}, got {total}. "
                "Fix: build again"
            )
        return lengths

    def _check(self, shard: dict[str, Any], suffix: str, wanted: int) -> Path:
        """The path of a file that has the size it should have."""
        path = self.folder / f"{shard['name']}.{suffix}"
        size = path.stat().st_size if path.is_file() else None
        if size != wanted:
            got = "no file" if size is None else f"{size} bytes"
            raise CourseError(f"{path}: expected {wanted} bytes, got {got}. Fix: build again")
        return path

    def _map(self, shard: int) -> np.ndarray:
        """The ids of a shard, which is not empty."""
        name = self.index["shards"][shard]["name"]
        return np.memmap(self.folder / f"{name}.tokens", self._dtype, mode="r")
