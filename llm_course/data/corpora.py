"""Load a corpus of the catalogue by its name.

>>> load("tiny_world", limit=2)[0].corpus
'tiny_world'
"""

import warnings
from itertools import islice

from llm_course.data.catalogue import CORPORA, Corpus
from llm_course.data.documents import Document
from llm_course.data.packages import MissingCorpusError
from llm_course.data.tiny_world.text import documents as tiny_world_documents
from llm_course.errors import CourseError

# A stand-in has to be quick to generate; no lesson needs more of it unasked.
FALLBACK_BYTES = 1_000_000


def find(name: str) -> Corpus:
    """The catalogue's row for a name.

    Raises:
        CourseError: no corpus has that name.

    >>> find("python").domain
    'code'
    """
    if name not in CORPORA:
        raise CourseError(
            f"corpus: expected one of {', '.join(CORPORA)}, got {name!r}. Fix: choose one of them"
        )
    return CORPORA[name]


def is_available(name: str) -> bool:
    """Whether ``load`` finds the files of this corpus here."""
    try:
        next(iter(find(name).reader(name)), None)
    except MissingCorpusError:
        return False
    return True


def load(name: str, *, limit: int | None = None, fallback: bool = False) -> list[Document]:
    """Read a corpus, or its first documents.

    Args:
        name: the catalogue name.
        limit: how many documents at most; None for all.
        fallback: when the package is absent, warn and give generated ``tiny_world`` text, about
            as much as the corpus holds and at most 1 MB. Each document's ``corpus`` then says
            ``tiny_world``. A damaged file is an error even so.

    Raises:
        CourseError: the name is unknown, the package is absent, or its file is damaged.

    >>> load("tiny_world", limit=1)[0].id
    'tiny_world/0/train/0'
    """
    corpus = find(name)
    try:
        return list(islice(corpus.reader(name), limit))
    except MissingCorpusError as error:
        if not fallback:
            raise
        warnings.warn(
            f"{name} is not here, tiny_world is read in its place: results are those of "
            f"generated text. ({error})",
            stacklevel=2,
        )
    stand_in = tiny_world_documents(min(corpus.n_bytes, FALLBACK_BYTES), seed=0)
    return list(islice(stand_in, limit))
