"""Documents on disk: any text survives, any document can be read by its number."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_course.data.documents import Document
from llm_course.errors import CourseError
from llm_course.recipes.data_build.document_files import (
    DocumentSource,
    from_line,
    read_documents,
    to_line,
    write_documents,
)

# Any code point, halves of surrogate pairs and line separators included.
ANY = st.text(st.characters(), max_size=20)
DOCUMENTS = st.lists(
    st.builds(
        Document,
        id=st.text("ab/0", min_size=1),
        text=ANY,
        corpus=st.just("demo"),
        title=ANY,
        metadata=st.dictionaries(st.text("abc"), st.integers() | ANY, max_size=2),
    ),
    max_size=5,
)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(DOCUMENTS)
def test_every_document_survives(tmp_path, documents):
    path = tmp_path / "a.jsonl"
    assert write_documents(path, documents) == (
        len(documents),
        sum(document.n_bytes for document in documents),
    )
    assert list(read_documents(path)) == documents
    assert all("\n" not in to_line(d) and from_line(to_line(d)) == d for d in documents)


@QUIET
@given(st.lists(DOCUMENTS, max_size=3))
def test_any_document_by_its_number(tmp_path, files):
    paths = [tmp_path / f"{number}.jsonl" for number in range(len(files))]
    for path, documents in zip(paths, files, strict=True):
        write_documents(path, documents)
    source, flat = DocumentSource(paths), [d for documents in files for d in documents]
    assert len(source) == len(flat)
    assert source.lengths.tolist() == [document.n_bytes for document in flat]
    assert [source.document(number) for number in reversed(range(len(flat)))] == flat[::-1]


@pytest.mark.parametrize("content", ["{", "[]", '{"colour": 1}', None])
def test_damage_is_named(tmp_path, content):
    path = tmp_path / "a.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CourseError, match=r"a\.jsonl: expected a file of documents, got .* Fix: "):
        list(read_documents(path))
