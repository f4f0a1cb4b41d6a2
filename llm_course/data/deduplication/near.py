"""Near-duplicates in a stream: MinHash signatures, looked up by their bands.

Two stages. ``near_duplicates`` keeps the signatures of what it kept and compares before it removes,
so few texts go by mistake; ``near_duplicates_bounded`` keeps bits alone, in a memory that is fixed
beforehand, and removes whatever shares a band. Only kept documents are remembered: of three
versions where each resembles the next, the middle one goes, and the last stays if it does not
resemble the first.

Source:
    The second is the idea of Khan et al. 2024, *LSHBloom* (arXiv:2411.04257): a Bloom filter in
    place of the index of bands.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from llm_course.data.deduplication.bands import band_keys, check_bands
from llm_course.data.deduplication.minhash import EMPTY, MinHash, Signatures, similarity
from llm_course.data.deduplication.seen import BloomFilter, Seen
from llm_course.data.documents import Document
from llm_course.data.hashing import Hashes
from llm_course.data.stages import Kept, Outcome, Removed, Stage

BATCH = 256
REASON = "near-duplicate"
Signed = tuple[Document, Signatures, Hashes]


class NearIndex:
    """The signatures of kept documents, found by any of their bands.

    It needs 4 bytes for each hash and about 150 for each band of a document: 3.4 kB for 20 bands
    of 5 rows, whatever the length of its text.
    """

    def __init__(self) -> None:
        self._rows: dict[int, list[int]] = {}
        self.ids: list[str] = []
        self._signatures: list[Signatures] = []

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def restored(
        cls, ids: Sequence[str], signatures: Signatures, bands: int, rows: int
    ) -> "NearIndex":
        """The index of documents whose signatures were stored.

        Shapes:
            signatures: (len(ids), bands · rows).
        """
        index = cls()
        keys = band_keys(signatures, bands, rows)
        for id, signature, key in zip(ids, signatures, keys, strict=True):
            index.add(id, signature, key)
        return index

    def signatures(self) -> Signatures:
        """All signatures in the order of ``ids``, to be stored.

        Shapes:
            returns (n, k); (0, 0) of nothing.
        """
        return np.stack(self._signatures) if self.ids else np.zeros((0, 0), dtype=np.uint32)

    def nearest(self, signature: Signatures, keys: Hashes) -> tuple[float, str] | None:
        """The best estimate among the candidates and the id of that document, if there are any."""
        found = {row for key in keys.tolist() for row in self._rows.get(key, ())}
        if not found:
            return None
        rows = sorted(found)
        estimates = similarity(np.stack([self._signatures[row] for row in rows]), signature)
        best = int(estimates.argmax())
        return float(estimates[best]), self.ids[rows[best]]

    def add(self, id: str, signature: Signatures, keys: Hashes) -> None:
        """Remember a document."""
        for key in keys.tolist():
            self._rows.setdefault(key, []).append(len(self.ids))
        self.ids.append(id)
        self._signatures.append(signature)


def _signed(
    documents: Iterable[Document], hasher: MinHash, bands: int, rows: int
) -> Iterator[Signed]:
    """Each document with its signature and its band keys, computed in batches."""
    stream = iter(documents)
    while batch := list(islice(stream, BATCH)):
        signatures = hasher.signatures([document.text for document in batch])
        yield from zip(batch, signatures, band_keys(signatures, bands, rows), strict=True)


def near_duplicates(
    hasher: MinHash | None = None,
    *,
    bands: int = 20,
    rows: int = 5,
    least: float = 0.7,
    index: NearIndex | None = None,
) -> Stage:
    """The stage that removes a document that shares a band with an earlier one and resembles it.

    Args:
        hasher: makes the signatures; 100 hashes of five words if None.
        bands: of a signature.
        rows: of a band.
        least: the least estimated similarity of a duplicate. It is compared with an estimate of
            standard deviation √(J(1 − J)/k), so set it two or three of these below the J that
            must be found; 0 removes every candidate.
        index: what came before; a new one if None. It remembers from one call to the next.

    Raises:
        ValueError: bands · rows is not the number of hashes, or ``least`` no similarity.

    >>> text = "the quick brown fox jumps over the lazy dog near the river"
    >>> texts = enumerate([text, text + " bank", "another text of more than five words"])
    >>> found = [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in texts]
    >>> [type(outcome).__name__ for outcome in near_duplicates()(found)]
    ['Kept', 'Removed', 'Kept']
    """
    hasher = MinHash() if hasher is None else hasher
    check_bands(bands, rows, hasher.n_hashes)
    if not 0 <= least <= 1:
        raise ValueError(f"least: expected a similarity from 0 to 1, got {least}.")
    index = NearIndex() if index is None else index

    def stage(documents: Iterable[Document]) -> Iterator[Outcome]:
        for document, signature, keys in _signed(documents, hasher, bands, rows):
            if (signature == EMPTY).all():
                yield Kept(document)
                continue
            nearest = index.nearest(signature, keys)
            if nearest and nearest[0] >= least:
                yield Removed(document, REASON, f"about {nearest[0]:.2f} of {nearest[1]}")
            else:
                index.add(document.id, signature, keys)
                yield Kept(document)

    return stage


def near_duplicates_bounded(
    capacity: int,
    hasher: MinHash | None = None,
    *,
    bands: int = 20,
    rows: int = 5,
    error: float = 1e-3,
    seen: Seen | None = None,
) -> Stage:
    """The stage that removes a document that shares a band with an earlier one, in fixed memory.

    For 20 bands and an error of 1e-3 it takes 52 bytes for each document of the capacity.

    Args:
        capacity: how many documents are expected to be kept.
        hasher: makes the signatures; 100 hashes of five words if None.
        bands: of a signature.
        rows: of a band.
        error: the probability that the filter alone takes a new document for a known one, once
            ``capacity`` documents are in it.
        seen: what came before; a new ``BloomFilter`` if None.

    Raises:
        ValueError: bands · rows is not the number of hashes, or a number is out of its range.
    """
    hasher = MinHash() if hasher is None else hasher
    check_bands(bands, rows, hasher.n_hashes)
    if seen is None:
        # A document asks once for each band: the errors of all add up to at most `error`.
        seen = BloomFilter(capacity * bands, error / bands)

    def stage(documents: Iterable[Document]) -> Iterator[Outcome]:
        for document, signature, keys in _signed(documents, hasher, bands, rows):
            if (signature == EMPTY).all():
                yield Kept(document)
            elif seen.contains(keys).any():
                yield Removed(document, REASON, "shares a band")
            else:
                seen.add(keys)
                yield Kept(document)

    return stage
