"""Language identification: which language makes these runs of characters most probable?

A naive Bayes classifier over runs of one to three characters, hashed into buckets:
log P(language | text) = Σ_run log P(run | language) + const, each language as likely beforehand.
One more class, ``unknown``, makes every bucket equally probable: it wins where the runs have
hardly been seen, as in another script. A related language that was never learned is not told apart
(Italian becomes Spanish).

Source:
    Cavnar and Trenkle 1994, *N-Gram-Based Text Categorization*, for runs of characters; McCallum
    and Nigam 1998, *A Comparison of Event Models for Naive Bayes Text Classification*, equation 5.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_course.data.corpora import load
from llm_course.data.documents import Document
from llm_course.data.hashing import character_codes, run_hashes
from llm_course.data.stages import Kept, Outcome, Removed, Stage, each

RUNS = (1, 2, 3)
N_BUCKETS = 1 << 18
UNKNOWN = "unknown"
# The encyclopedia's languages, each with its corpus in the catalogue.
CORPUS_OF: Mapping[str, str] = {"en": "wiki_en", "fr": "wiki_fr", "es": "wiki_es"}


def character_runs(text: str, n_buckets: int = N_BUCKETS) -> NDArray[np.int64]:
    """The bucket of every run of one, two and three characters; case and spaces do not matter.

    >>> len(character_runs("abc", n_buckets=1000))  # with a space on either side: 5 + 4 + 3
    12
    """
    words = text.casefold().split()
    codes = character_codes(f" {' '.join(words)} " if words else "")
    hashes = np.concatenate([run_hashes(codes, n) for n in RUNS])
    return (hashes % np.uint64(n_buckets)).astype(np.int64)


@dataclass(frozen=True)
class LanguageIdentifier:
    """What was learned of each language.

    Args:
        languages: their codes; the last is ``unknown``.
        log_probability: of each bucket in each language.

    Shapes:
        log_probability: (languages, buckets).
    """

    languages: tuple[str, ...]
    log_probability: NDArray[np.float32]

    def probabilities(self, text: str) -> dict[str, float]:
        """P(language | text). Naive Bayes takes runs for independent and is overconfident."""
        runs = character_runs(text, self.log_probability.shape[1])
        if not len(runs):
            return {code: float(code == UNKNOWN) for code in self.languages}
        scores = self.log_probability[:, runs].sum(axis=1, dtype=np.float64)
        weights = np.exp(scores - scores.max())
        return dict(zip(self.languages, (weights / weights.sum()).tolist(), strict=True))

    def identify(self, text: str) -> str:
        """The most probable language; ``unknown`` for a text of nothing but white space."""
        found = self.probabilities(text)
        return max(found, key=lambda code: found[code])


def train_identifier(
    texts: Mapping[str, Iterable[str]], *, smoothing: float = 0.1, n_buckets: int = N_BUCKETS
) -> LanguageIdentifier:
    """Count runs: P(bucket | language) = (count + α) / (total + α · buckets).

    Args:
        texts: for each language code, texts in that language.
        smoothing: the α that a bucket never seen is given.
        n_buckets: how many buckets the runs are hashed into.

    Raises:
        ValueError: there is no language, a language has no text, or a number is out of its range.

    >>> identifier = train_identifier({"en": ["the house"], "fr": ["la maison"]})
    >>> identifier.identify("a house"), identifier.identify("une maison")
    ('en', 'fr')
    """
    if smoothing <= 0 or n_buckets < 1:
        raise ValueError(
            f"smoothing, n_buckets: expected both above 0, got {smoothing} and {n_buckets}."
        )
    if not texts or UNKNOWN in texts:
        raise ValueError(f"texts: expected languages, none called {UNKNOWN}, got {list(texts)}.")
    rows = []
    for code, examples in texts.items():
        counts = np.zeros(n_buckets)
        for text in examples:
            np.add.at(counts, character_runs(text, n_buckets), 1)
        if not counts.any():
            raise ValueError(f"texts[{code!r}]: expected some text, got none.")
        rows.append(np.log(counts + smoothing) - np.log(counts.sum() + smoothing * n_buckets))
    rows.append(np.full(n_buckets, -np.log(n_buckets)))
    return LanguageIdentifier((*texts, UNKNOWN), np.stack(rows).astype(np.float32))


def encyclopedia_identifier(every: int = 4) -> LanguageIdentifier:
    """English, French and Spanish, from every fourth summary of each encyclopedia.

    The summaries are in order of their topics, so that the first would be people alone; the ones
    between stay for measuring.

    Raises:
        CourseError: the package of the corpus is absent or damaged.
        ValueError: ``every`` is less than 1.
    """
    if every < 1:
        raise ValueError(f"every: expected at least 1, got {every}.")
    return train_identifier(
        {
            code: [document.text for document in load(name)[::every]]
            for code, name in CORPUS_OF.items()
        }
    )


def language_filter(
    identifier: LanguageIdentifier, keep: Collection[str], least: float = 0.5
) -> Stage:
    """The stage that removes a document that is not, with this probability, in these languages.

    Raises:
        ValueError: the identifier does not know a language.
    """
    missing = sorted(set(keep) - set(identifier.languages))
    if missing:
        raise ValueError(f"keep: expected some of {identifier.languages}, got {missing}.")

    def judge(document: Document) -> Outcome:
        found = identifier.probabilities(document.text)
        if sum(found[code] for code in keep) >= least:
            return Kept(document)
        code = max(found, key=lambda code: found[code])
        return Removed(document, f"language {code}", f"{code} {found[code]:.2f}")

    return each(judge)
