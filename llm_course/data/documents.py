"""A document: one text with the identity and the facts that data preparation needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Document:
    """One text of a corpus.

    Args:
        id: unique within the course, ``corpus/title`` or ``corpus/number``.
        text: the content, any Unicode string.
        corpus: the catalogue name that it really comes from.
        title: how the source calls it; empty if it has no name.
        topic: the source's own class for it; empty if it has none.
        metadata: further facts of the source, such as ratings.

    >>> Document(id="demo/1", text="café", corpus="demo").n_bytes
    5
    """

    id: str
    text: str
    corpus: str
    title: str = ""
    topic: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int:
        """The length of the text in UTF-8 bytes."""
        # Half of a surrogate pair, which JSON can bring, has no UTF-8: counted as its three bytes.
        return len(self.text.encode("utf-8", "surrogatepass"))


def measure(documents: Iterable[Document]) -> tuple[int, int]:
    """Count documents and the UTF-8 bytes of their texts.

    >>> measure([Document(id="demo/1", text="café", corpus="demo")])
    (1, 5)
    """
    n_documents = n_bytes = 0
    for document in documents:
        n_documents += 1
        n_bytes += document.n_bytes
    return n_documents, n_bytes
