"""Documents count UTF-8 bytes, not characters."""

from llm_course.data.documents import Document, measure


def test_measure_counts_bytes():
    documents = [
        Document(id=f"d/{i}", text=text, corpus="d") for i, text in enumerate(["é", "", "日本"])
    ]
    assert [document.n_bytes for document in documents] == [2, 0, 6]
    assert measure(iter(documents)) == (3, 8)


def test_optional_fields_are_empty():
    document = Document(id="d/1", text="a", corpus="d")
    assert (document.title, document.topic, dict(document.metadata)) == ("", "", {})
