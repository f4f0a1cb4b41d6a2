"""Near-duplicates with ground truth: copies of documents, edited down to a known similarity."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_course.data.deduplication.shingles import Unit, jaccard, shingles
from llm_course.data.documents import Document
from llm_course.data.stages import with_text
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
    """Replace words one at a time, as long as the similarity to the text stays ``least`` or more.

    Returns:
        The edited text and its exact similarity; equal to the text if no edit is small enough.

    >>> text = " ".join(f"word{i}" for i in range(60))
    >>> other, similarity = edited(text, 0.8, seed=0)
    >>> other != text, 0.8 <= similarity < 1
    (True, True)
    """
    rng = generator("planted", seed)
    original, words = shingles(text, n, unit), text.split()
    similarity = 1.0
    while words:
        trial = list(words)
        # An unheard-of word makes all shingles around it new.
        trial[between(rng, 0, len(words) - 1)] = f"{pick(rng, words)}{between(rng, 0, 999)}"
        now = jaccard(original, shingles(" ".join(trial), n, unit))
        if now < least:
            break
        words, similarity = trial, now
    return (" ".join(words), similarity) if similarity < 1 else (text, 1.0)


def plant(
    documents: Sequence[Document], n_copies: int, least: float = 0.8, seed: int = 0
) -> list[Planted]:
    """Edited copies of documents drawn at random; their ids end with ``/copy``.

    A copy's similarity is from ``least`` to 1; its target is drawn evenly from there.

    Raises:
        ValueError: fewer documents than copies, or ``least`` is no similarity.
    """
    if not 0 < least <= 1:
        raise ValueError(f"least: expected a similarity above 0 and at most 1, got {least}.")
    rng = generator("plant", seed)
    planted = []
    for original in pick_distinct(rng, documents, n_copies):
        target = least + (1 - least) * rng.random()
        text, similarity = edited(original.text, target, f"{seed}/{original.id}")
        copy = with_text(original, text)
        planted.append(
            Planted(
                copy=_renamed(copy, f"{original.id}/copy"), original=original, jaccard=similarity
            )
        )
    return planted


def _renamed(document: Document, id: str) -> Document:
    return Document(**{**vars(document), "id": id})
