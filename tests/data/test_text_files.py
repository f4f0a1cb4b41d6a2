"""Files of one's own: any text comes back, and what is no text is named."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_course.data.text_files import read_text_file, read_words
from llm_course.errors import CourseError


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back(tmp_path, text):
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert read_text_file(tmp_path / "a.txt") == text
    (tmp_path / "a.txt").write_text(text, encoding="utf-8-sig", newline="")
    assert read_text_file(tmp_path / "a.txt") == text


@given(st.binary(max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_text_or_a_clear_error(tmp_path, data):
    (tmp_path / "a.bin").write_bytes(data)
    try:
        text = read_text_file(tmp_path / "a.bin")
    except CourseError as error:
        assert "expected text in UTF-8, got" in str(error) and "Fix: " in str(error)
    else:
        assert data.removeprefix(b"\xef\xbb\xbf").decode() == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "got a NUL byte at 8"),
        ("text".encode("utf-16"), "got a NUL byte"),
        ("café".encode("latin-1"), "got the byte 0xe9 at 3"),
    ],
)
def test_what_is_no_text_is_said_with_its_place(tmp_path, data, message):
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(CourseError, match=message) as caught:
        read_text_file(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(CourseError, match="got: No such file or directory. Fix: check the path"):
        read_text_file(tmp_path / "missing.txt")
    with pytest.raises(CourseError, match="got: Is a directory"):
        read_text_file(tmp_path)


def test_a_list_of_words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("# names\nAda\n\n  Grace \n")
    assert read_words(path) == ["Ada", "Grace"]
    path.write_text("# nothing\n")
    with pytest.raises(CourseError, match="expected one word a line, got none"):
        read_words(path)
