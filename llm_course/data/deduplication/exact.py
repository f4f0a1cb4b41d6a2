"""Exact duplicates: a text, or a line of it, that came before in the stream.

The first of equal texts stays. A stage remembers what it has seen from one call to the next, so it
can be given a corpus shard by shard; pass a ``BloomFilter`` to bound its memory.

Source:
    Lines across documents: Wenzek et al. 2020, *CCNet* (arXiv:1911.00359), section 3.1, which
    hashes paragraphs in lower case, digits as 0 and without punctuation.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from llm_course.data.deduplication.seen import HashSet, Seen
from llm_course.data.documents import Document
from llm_course.data.hashing import Hashes, word_hashes
from llm_course.data.stages import Kept, Outcome, Removed, Stage, with_text

Normalise = Callable[[str], str]


def unchanged(text: str) -> str:
    """The text itself: only equal texts are duplicates."""
    return text


def loosely(text: str) -> str:
    """The text in lower case, without accents and punctuation, digits as 0, spaces as one.

    >>> loosely("  Café No. 7,  open!")
    'cafe no 0 open'
    """
    plain = unicodedata.normalize("NFD", text.casefold())
    letters = "".join(c for c in plain if unicodedata.category(c)[0] not in "MPS")
    return " ".join(re.sub(r"\d", "0", letters).split())


def exact_duplicates(seen: Seen | None = None, normalise: Normalise = unchanged) -> Stage:
    """The stage that removes a document whose text came before.

    Args:
        seen: what came before; a new ``HashSet`` if None.
        normalise: what is compared of a text.

    >>> texts = enumerate(["a", "b", "a"])
    >>> found = [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in texts]
    >>> [type(outcome).__name__ for outcome in exact_duplicates()(found)]
    ['Kept', 'Kept', 'Removed']
    """
    seen = HashSet() if seen is None else seen

    def stage(documents: Iterable[Document]) -> Iterator[Outcome]:
        for document in documents:
            key = word_hashes([normalise(document.text)])
            if seen.contains(key)[0]:
                yield Removed(document, "exact duplicate")
            else:
                seen.add(key)
                yield Kept(document)

    return stage


def repeated(keys: Hashes, seen: Seen) -> np.ndarray:
    """Which keys came before, in ``seen`` or earlier among themselves.

    >>> repeated(np.uint64([1, 2, 1]), HashSet(np.uint64([2]))).tolist()
    [False, True, True]
    """
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return seen.contains(keys) | ~first


def duplicate_lines(
    seen: Seen | None = None, normalise: Normalise = loosely, least: int = 20
) -> Stage:
    """The stage that cuts lines that came before, in this document or in an earlier one.

    A document of which no line with content is left is removed.

    Args:
        seen: what came before; a new ``HashSet`` if None.
        normalise: what is compared of a line.
        least: lines of fewer characters stay: they are short answers, or code.
    """
    seen = HashSet() if seen is None else seen

    def judge(document: Document) -> Outcome:
        lines = document.text.split("\n")
        compared = [normalise(line) for line in lines]
        long = np.array([len(line) >= max(1, least) for line in compared])
        keys = word_hashes([line for line, counts in zip(compared, long, strict=True) if counts])
        cut = np.zeros(len(lines), dtype=bool)
        cut[long] = repeated(keys, seen)
        seen.add(keys)
        if not cut.any():
            return Kept(document)
        left = [line for line, gone in zip(lines, cut, strict=True) if not gone]
        if not any(map(str.strip, left)):
            return Removed(document, "no line left", f"{cut.sum()} repeated lines")
        return Kept(with_text(document, "\n".join(left)), {"repeated line": int(cut.sum())})

    def stage(documents: Iterable[Document]) -> Iterator[Outcome]:
        return map(judge, documents)

    return stage
