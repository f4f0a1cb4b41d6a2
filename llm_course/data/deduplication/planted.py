"""Near-duplicates with ground truth: copies of documents, edited down to a known similarity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm_course.data.deduplication.shingles import Unit, jaccard, shingles
from llm_course.data.documents import Document
from llm_course.data.tiny_world.chance import between, generator, pick, pick_distinct


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A copy, the document that it is a copy of, and the exact Jaccard similarity of the two."""

    copy: Document
    original: Document
    jaccard: float


def edited(
    text: str, least: float, seed: object, *, n: int = 5, unit: Unit = "words"
) -> tuple[str, float]:
    """Replace words at random, then cut words from the end, down to a similarity.

    A word in the middle is in n shingles, the last word in one: the first edits go fast, the last
    ones come close to the target.

    Returns:
        The edited text and its exact similarity, at least ``least``.

    >>> text = " ".join(f"word{i}" for i in range(60))
    >>> other, similarity = edited(text, 0.8, seed=0)
    >>> other != text, 0.8 <= similarity < 0.82
    (True, True)
    """
    rng = generator("planted", seed)
    original, words = shingles(text, n, unit), text.split()

    def measured(trial: list[str]) -> float:
        return jaccard(original, shingles(" ".join(trial), n, unit))

    similarity = measured(words)
    while words:
        trial = list(words)
        # A word that occurs nowhere makes all shingles around it new.
        trial[between(rng, 0, len(words) - 1)] = f"{pick(rng, words)}{between(rng, 0, 999)}"
        if measured(trial) < least:
            break
        words, similarity = trial, measured(trial)
    while len(words) > 1 and measured(words[:-1]) >= least:
        words = words[:-1]
        similarity = measured(words)
    return " ".join(words), similarity


def plant(
    documents: Sequence[Document],
    n_copies: int,
    least: float = 0.8,
    most: float = 1.0,
    seed: int = 0,
) -> list[Planted]:
    """Edited copies of documents drawn at random; their ids end with ``/copy``.

    A copy's target is drawn evenly from ``least`` to ``most``; its similarity is that or more.

    Raises:
        ValueError: fewer documents than copies, or the similarities are none.
    """
    if not 0 < least <= most <= 1:
        raise ValueError(f"least, most: expected 0 < least ≤ most ≤ 1, got {least} and {most}.")
    rng = generator("plant", seed)
    planted = []
    for original in pick_distinct(rng, documents, n_copies):
        target = least + (most - least) * rng.random()
        text, similarity = edited(original.text, target, f"{seed}/{original.id}")
        copy = replace(original, id=f"{original.id}/copy", text=text)
        planted.append(Planted(copy=copy, original=original, jaccard=similarity))
    return planted
