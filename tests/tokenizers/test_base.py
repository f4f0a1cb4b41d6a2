"""What tokenizers share: special tokens, and texts to train on."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.errors import CourseError
from llm_course.tokenizers.base import check_special, each_text, read_lines, split_special
from llm_course.tokenizers.bpe_training import train_bpe


@given(st.text(alphabet="<a>b"), st.sets(st.sampled_from(["<a>", "<b>", "<a><b>", "b"])))
def test_the_parts_are_the_text_again(text: str, special: set[str]) -> None:
    parts = split_special(text, special, allow_special=True)
    assert "".join(parts) == text
    assert set(parts[1::2]) <= special
    assert not any(token in part for part in parts[::2] for token in special)


def test_the_longest_special_token_is_meant() -> None:
    assert split_special("<a><b>", ["<a>", "<a><b>"], True) == ["", "<a><b>", ""]


def test_only_the_named_are_recognised() -> None:
    assert split_special("<a>.<b>", ["<a>", "<b>"], ["<b>"]) == ["<a>.", "<b>", ""]
    with pytest.raises(ValueError, match="there are none"):
        split_special("a", [], ["<c>"])


@pytest.mark.parametrize("token", ["<b>", ""])
def test_a_special_token_must_be_in_the_vocabulary(token: str) -> None:
    with pytest.raises(ValueError, match="special_tokens: expected"):
        check_special([token], {"<a>": 0, "": 1} if not token else {"<a>": 0})


def test_one_text_is_not_a_corpus() -> None:
    with pytest.raises(TypeError, match="one bytes"):
        list(each_text(b"ab"))
    with pytest.raises(TypeError, match="got int '3'"):
        list(each_text(["a", 3]))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_lines_are_the_file(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "corpus.txt")
        path.write_bytes(text.encode())
        assert "".join(read_lines(path)) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"ok\n\xff\xfe", "expected UTF-8 text"), (b"ok\nPK\x00\x01", "zero byte in line 2")],
)
def test_a_file_that_is_no_text_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "corpus.bin"
    path.write_bytes(content)
    with pytest.raises(CourseError, match=message) as caught:
        train_bpe(read_lines(path), 300)
    assert str(path) in str(caught.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="No such file"):
        list(read_lines(tmp_path / "none.txt"))
    with pytest.raises(CourseError, match="directory"):
        list(read_lines(tmp_path))
