"""The first step: a corpus is read once and cut into pieces, one for each later job."""

from collections.abc import Iterator, Sequence

from llm_course.data.corpora import find, load
from llm_course.data.documents import Document
from llm_course.errors import CourseError
from llm_course.recipes.data_build.document_files import write_documents
from llm_course.recipes.data_build.job import Job

STEP = "read"


def piece_key(corpus: str, number: int) -> str:
    """The name of a piece of a corpus.

    >>> piece_key("wiki_en", 3)
    'wiki_en-00003'
    """
    return f"{corpus}-{number:05d}"


def _cut(documents: Sequence[Document], size: int) -> Iterator[Sequence[Document]]:
    """The documents in pieces of one size; the last may be smaller."""
    for start in range(0, len(documents), size):
        yield documents[start : start + size]


def read_corpus(job: Job) -> None:
    """Read one corpus and write its pieces.

    Raises:
        CourseError: its package is absent or damaged, or it holds no document.
    """
    entry = next(corpus for corpus in job.recipe.corpora if corpus.name == job.key)
    documents = load(entry.name, limit=entry.limit, fallback=entry.fallback)
    if not documents:
        raise CourseError(
            f"corpus {entry.name}: expected at least one document, got none. "
            "Fix: leave it out of the recipe"
        )
    pieces = []
    for number, piece in enumerate(_cut(documents, job.recipe.documents_per_job)):
        key = piece_key(entry.name, number)
        n_documents, n_bytes = write_documents(job.workspace.folder(STEP) / f"{key}.jsonl", piece)
        pieces.append({"key": key, "n_documents": n_documents, "n_bytes": n_bytes})
    corpus = find(entry.name)
    job.done(
        {
            "pieces": pieces,
            "domain": corpus.domain,
            "language": corpus.language,
            "licence": corpus.licence if documents[0].corpus == entry.name else "MIT",
            "read_from": documents[0].corpus,
        }
    )
