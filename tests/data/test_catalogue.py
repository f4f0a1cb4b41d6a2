"""The catalogue agrees with what is installed, byte for byte where the version is pinned."""

import pytest

from llm_course.data.catalogue import CORPORA, TINY_WORLD_BYTES, catalogue_rows
from llm_course.data.documents import measure

# Installed with the course (materials.txt); the others are downloaded by readers who want them.
INSTALLED = [name for name in CORPORA if name.startswith(("wiki_", "chit", "chatterbot_"))]


@pytest.mark.parametrize("name", INSTALLED)
def test_sizes_are_measured(name):
    corpus = CORPORA[name]
    documents = list(corpus.reader(name))
    assert measure(documents) == (corpus.n_documents, corpus.n_bytes)
    assert {document.corpus for document in documents} == {name}
    assert len({document.id for document in documents}) == len(documents)


def test_the_standard_library_is_about_as_large_on_any_version():
    corpus = CORPORA["python"]
    n_documents, n_bytes = measure(corpus.reader("python"))
    assert n_bytes == pytest.approx(corpus.n_bytes, rel=0.25)
    assert n_documents == pytest.approx(corpus.n_documents, rel=0.25)


def test_the_embedded_corpus():
    n_documents, n_bytes = measure(CORPORA["tiny_world"].reader("tiny_world"))
    assert n_documents == CORPORA["tiny_world"].n_documents
    assert TINY_WORLD_BYTES <= n_bytes < 1.01 * TINY_WORLD_BYTES


def test_every_row_is_filled_and_pinned():
    rows = catalogue_rows()
    assert [row["Corpus"] for row in rows] == list(CORPORA)
    assert all(value for row in rows for value in row.values())
    assert all(row["Package"] == "built in" or "==" in row["Package"] for row in rows)
    assert {corpus.domain for corpus in CORPORA.values()} == {
        "stories",
        "encyclopedia",
        "conversation",
        "code",
        "books",
    }


def test_the_catalogue_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        CORPORA["tiny_world"] = None
