"""Stages that compare a document with the whole corpus, cut so that jobs can share the work.

1. ``sign``, in a job: what has to be known of its documents, a few numbers each.
2. ``decide``, in one place: over the numbers of all jobs, in order, what goes.
3. ``apply``, in a job: the outcome of each document.

The result is that of the same stage run over the whole corpus in one stream; the stage itself is
run each time, with what it asks for replaced by a record.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_course.data.deduplication.bands import check_bands
from llm_course.data.deduplication.exact import (
    duplicate_lines,
    exact_duplicates,
    loosely,
    unchanged,
)
from llm_course.data.deduplication.minhash import MinHash, Signatures
from llm_course.data.deduplication.near import near_duplicates, near_duplicates_bounded
from llm_course.data.deduplication.seen import BloomFilter, HashSet, Seen
from llm_course.data.documents import Document
from llm_course.data.hashing import Hashes
from llm_course.data.stages import Kept, Outcome, Removed, Stage
from llm_course.recipes.fields import Fields

Arrays = dict[str, np.ndarray]
Decision = dict[str, Any]
"""What was decided on the documents of a job, as JSON keeps it."""


@dataclass(frozen=True)
class GlobalStage:
    """The three parts of a stage.

    Args:
        sign: documents to arrays.
        decide: the ids and arrays of all jobs to a decision for each job.
        apply: documents and their decision to outcomes.
    """

    sign: Callable[[Sequence[Document]], Arrays]
    decide: Callable[[Iterable[tuple[Sequence[str], Arrays]]], Iterator[Decision]]
    apply: Callable[[Sequence[Document], Decision], Iterator[Outcome]]


class Record:
    """Stands for a set of keys: writes down what it is asked, and says that all is new."""

    def __init__(self) -> None:
        self.asked: list[Hashes] = []

    def contains(self, keys: Hashes) -> NDArray[np.bool_]:
        """No; and the question is noted."""
        self.asked.append(keys)
        return np.zeros(len(keys), dtype=bool)

    def add(self, keys: Hashes) -> None:
        """What is added was asked for."""


class Replay:
    """Stands for a set of keys: gives answers that were found before, in order."""

    def __init__(self, answers: NDArray[np.bool_]) -> None:
        self.answers, self.place = answers, 0

    def contains(self, keys: Hashes) -> NDArray[np.bool_]:
        """The next answers."""
        self.place += len(keys)
        return self.answers[self.place - len(keys) : self.place]

    def add(self, keys: Hashes) -> None:
        """What is added was accounted for when the answers were found."""


def by_keys(make: Callable[[Seen], Stage], new_seen: Callable[[], Seen]) -> GlobalStage:
    """A stage that asks, key by key, whether it came before.

    Args:
        make: makes the stage with a set of keys.
        new_seen: makes an empty set of keys.
    """

    def sign(documents: Sequence[Document]) -> Arrays:
        record = Record()
        for _ in make(record)(documents):
            pass
        counts = np.array([len(keys) for keys in record.asked], dtype=np.int64)
        return {"keys": np.concatenate([np.zeros(0, np.uint64), *record.asked]), "counts": counts}

    def decide(signed: Iterable[tuple[Sequence[str], Arrays]]) -> Iterator[Decision]:
        seen = new_seen()
        for _, arrays in signed:
            answers = []
            # One question after the other: what the first adds, the second finds.
            for keys in np.split(arrays["keys"], np.cumsum(arrays["counts"])[:-1]):
                answers += seen.contains(keys).tolist()
                seen.add(keys)
            yield {"known": "".join("01"[answer] for answer in answers)}

    def apply(documents: Sequence[Document], decision: Decision) -> Iterator[Outcome]:
        known = np.array([answer == "1" for answer in decision["known"]], dtype=bool)
        return make(Replay(known))(documents)

    return GlobalStage(sign, decide, apply)


class Signed:
    """Stands for a MinHash: gives signatures that were computed before, in order."""

    def __init__(self, n_hashes: int) -> None:
        self.n_hashes = n_hashes
        self.waiting: list[Signatures] = []

    def signatures(self, texts: Sequence[str]) -> Signatures:
        """The next signatures."""
        taken, self.waiting = self.waiting[: len(texts)], self.waiting[len(texts) :]
        return np.stack(taken)


def by_signatures(hasher: MinHash, make: Callable[[Any], Stage]) -> GlobalStage:
    """A stage that looks at nothing but MinHash signatures.

    Args:
        hasher: makes the signatures.
        make: makes the stage with a hasher.
    """

    def sign(documents: Sequence[Document]) -> Arrays:
        return {"signatures": hasher.signatures([document.text for document in documents])}

    def decide(signed: Iterable[tuple[Sequence[str], Arrays]]) -> Iterator[Decision]:
        known = Signed(hasher.n_hashes)
        stage = make(known)
        for ids, arrays in signed:
            known.waiting = list(arrays["signatures"])
            stubs = [Document(id=id, text="", corpus="") for id in ids]
            gone = {
                str(row): [outcome.reason, outcome.detail]
                for row, outcome in enumerate(stage(stubs))
                if isinstance(outcome, Removed)
            }
            yield {"gone": gone}

    def apply(documents: Sequence[Document], decision: Decision) -> Iterator[Outcome]:
        for row, document in enumerate(documents):
            gone = decision["gone"].get(str(row))
            yield Kept(document) if gone is None else Removed(document, *gone)

    return GlobalStage(sign, decide, apply)


def exact_texts(fields: Fields) -> GlobalStage:
    """``exact_duplicates`` over all jobs."""
    compare = loosely if fields.take("loosely", bool, False) else unchanged
    return by_keys(lambda seen: exact_duplicates(seen, compare), _seen(fields))


def repeated_lines(fields: Fields) -> GlobalStage:
    """``duplicate_lines`` over all jobs."""
    least = fields.take("least", int, 20, least=1)
    return by_keys(lambda seen: duplicate_lines(seen, least=least), _seen(fields))


def near_texts(fields: Fields) -> GlobalStage:
    """``near_duplicates`` over all jobs; with a capacity, in bounded memory."""
    bands, rows = fields.take("bands", int, 20, least=1), fields.take("rows", int, 5, least=1)
    unit = fields.take("unit", str, "words", choices=("words", "characters"))
    hasher = MinHash(n_hashes=bands * rows, n=fields.take("n", int, 5, least=1), unit=unit)
    check_bands(bands, rows, hasher.n_hashes)
    capacity = fields.take("capacity", int, None, least=1)
    if capacity is not None:
        return by_signatures(
            hasher, lambda h: near_duplicates_bounded(capacity, h, bands=bands, rows=rows)
        )
    least = fields.take("least", float, 0.7, least=0.0)
    near_duplicates(hasher, bands=bands, rows=rows, least=least)  # refuses what is no similarity
    return by_signatures(hasher, lambda h: near_duplicates(h, bands=bands, rows=rows, least=least))


def _seen(fields: Fields) -> Callable[[], Seen]:
    """A set of keys; with a capacity, in bounded memory."""
    capacity = fields.take("capacity", int, None, least=1)
    return HashSet if capacity is None else lambda: BloomFilter(capacity, error=1e-6)
