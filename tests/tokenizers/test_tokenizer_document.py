"""Reading the parts of a tokenizer.json."""

from pathlib import Path

import pytest

from llm_course.errors import CourseError
from llm_course.tokenizers.tokenizer_document import (
    added_tokens,
    only,
    part,
    read_document,
    vocabulary,
)


def test_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": {"vocab": {"é": 0}}}', encoding="utf-8")
    assert vocabulary(read_document(path)) == {"é": 0}
    path.write_bytes("é".encode("latin-1"))
    with pytest.raises(CourseError, match="expected a JSON text"):
        read_document(path)


@pytest.mark.parametrize("document", [{}, {"a": 1}, {"a": {"b": []}}, {"a": None}])
def test_an_absent_part_is_named(document: dict) -> None:
    with pytest.raises(ValueError, match="a.b: expected dict"):
        part(document, "a.b", dict)


def test_only_what_is_supported() -> None:
    assert only({"a": {"b": False}}, "a.b", True, False) is False
    assert only({}, "a.b", None) is None
    with pytest.raises(ValueError, match="a: expected None or x, got 5"):
        only({"a": 5}, "a", None, "x")


@pytest.mark.parametrize("token_id", [None, "1", 1.0, True, -1])
def test_an_id_is_a_whole_number(token_id: object) -> None:
    with pytest.raises(ValueError, match="expected ids"):
        vocabulary({"model": {"vocab": {"a": token_id}}})


def test_added_tokens_are_special() -> None:
    token = {"id": 3, "content": "<end>", "special": True, "lstrip": False}
    assert added_tokens({"added_tokens": [token]}) == {"<end>": 3}
    assert added_tokens({"added_tokens": None}) == {}
    for change in ({"special": False}, {"lstrip": True}, {"rstrip": True}, {"single_word": True}):
        with pytest.raises(ValueError, match="<end>"):
            added_tokens({"added_tokens": [token | change]})
