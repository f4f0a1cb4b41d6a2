"""Documents on disk: one JSON object a line, any of which can be read without those before it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from llm_course.data.documents import Document
from llm_course.errors import CourseError
from llm_course.files import atomic_path


def to_line(document: Document) -> str:
    """A document as one line of JSON; ASCII alone, so that any text survives.

    >>> to_line(Document(id="demo/1", text="é", corpus="demo"))
    '{"corpus": "demo", "id": "demo/1", "text": "\\\\u00e9"}'
    """
    fields = {
        "id": document.id,
        "text": document.text,
        "corpus": document.corpus,
        "title": document.title,
        "topic": document.topic,
        "metadata": dict(document.metadata),
    }
    return json.dumps({key: value for key, value in fields.items() if value or key == "text"},
                      sort_keys=True)  # fmt: skip


def from_line(line: str | bytes) -> Document:
    """The document of a line.

    >>> from_line(to_line(Document(id="demo/1", text="é", corpus="demo"))).text
    'é'
    """
    return Document(**json.loads(line))


def write_documents(path: Path, documents: Iterable[Document]) -> tuple[int, int]:
    """Write documents, and return how many there are and the UTF-8 bytes of their texts."""
    n_documents = n_bytes = 0
    with atomic_path(path) as temporary, temporary.open("w", encoding="ascii") as file:
        for document in documents:
            file.write(to_line(document) + "\n")
            n_documents, n_bytes = n_documents + 1, n_bytes + document.n_bytes
    return n_documents, n_bytes


def read_documents(path: Path) -> Iterator[Document]:
    """The documents of a file, in order.

    Raises:
        CourseError: it is missing or damaged.
    """
    try:
        with path.open(encoding="ascii") as file:
            for line in file:
                yield from_line(line)
    except (OSError, ValueError, TypeError) as error:
        raise CourseError(
            f"{path}: expected a file of documents, got {error}. Fix: llm-course data build --force"
        ) from error


class DocumentSource:
    """The documents of several files as one sequence, each read when it is asked for.

    Its places are found by reading the files once; texts are not kept.

    Args:
        paths: the files, in order.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)
        self._places: list[tuple[int, int]] = []
        lengths = []
        for number, path in enumerate(self._paths):
            offset = 0
            with path.open("rb") as file:
                for line in file:
                    self._places.append((number, offset))
                    lengths.append(from_line(line).n_bytes)
                    offset += len(line)
        self.lengths = np.array(lengths, dtype=np.int64)
        """The UTF-8 bytes of each text."""

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._places)

    def document(self, number: int) -> Document:
        """One of them."""
        path, offset = self._places[number]
        with self._paths[path].open("rb") as file:
            file.seek(offset)
            return from_line(file.readline())
