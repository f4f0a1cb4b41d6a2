"""What a tokenizer.json with WordPiece may ask for, and what is refused."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from llm_course.errors import CourseError
from llm_course.tokenizers.tokenizer_json import load
from llm_course.tokenizers.wordpiece import WordPiece
from llm_course.tokenizers.wordpiece_json import read_wordpiece, write_wordpiece

SMALL = WordPiece({"[UNK]": 0, "a": 1, "##b": 2}, ["[UNK]"], lowercase=False)


def test_wordpiece_with_another_normalizer_is_refused(tmp_path: Path) -> None:
    theirs = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    theirs.normalizer = normalizers.BertNormalizer(strip_accents=False)
    theirs.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    theirs.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(CourseError, match=r"normalizer\.strip_accents"):
        load(tmp_path / "tokenizer.json")


def test_a_document_comes_back() -> None:
    again = read_wordpiece(write_wordpiece(SMALL))
    assert again.vocabulary == SMALL.vocabulary
    assert (again.lowercase, again.special_tokens) == (False, {"[UNK]": 0})


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("normalizer", "type", "NFC"),
        ("normalizer", "clean_text", False),
        ("normalizer", "handle_chinese_chars", False),
        ("normalizer", "lowercase", None),
        ("pre_tokenizer", "type", "Whitespace"),
        ("model", "unk_token", "<unk>"),
        ("model", "continuing_subword_prefix", ""),
        ("model", "max_input_chars_per_word", 10),
        ("model", "vocab", []),
    ],
)
def test_another_rule_is_refused(part: str, key: str, value: object) -> None:
    document = write_wordpiece(SMALL)
    document[part] = document[part] | {key: value}
    with pytest.raises(ValueError, match=f"{part}.{key}: expected"):
        read_wordpiece(document)
