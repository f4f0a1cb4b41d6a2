"""What a tokenizer.json with BPE may ask for, and what is refused."""

import json
from pathlib import Path

import pytest

from llm_course.errors import CourseError
from llm_course.tokenizers.bpe_json import read_bpe, write_bpe
from llm_course.tokenizers.byte_level import SMOLLM_SPLIT, byte_characters
from llm_course.tokenizers.tokenizer_json import load


def bpe_document() -> dict:
    characters = {character: byte for byte, character in enumerate(byte_characters())}
    return {
        "version": "1.0",
        "added_tokens": [{"id": 257, "content": "<end>", "special": True}],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "model": {"type": "BPE", "vocab": characters | {"ab": 256}, "merges": [["a", "b"]]},
    }


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.vocab", None, "model.vocab: expected dict"),
        ("model.vocab", {"a": "0"}, "expected ids"),
        ("model.vocab", {"a": 0, "b": 0}, "id twice"),
        ("model.merges", [["a", "zz"]], "'zz' in merge 0"),
        ("model.merges", [["a", "b", "c"]], "expected pairs"),
        ("model.merges", [[1, 2]], "expected pairs"),
        ("model.merges", {}, "expected list"),
        ("model.byte_fallback", True, "byte_fallback"),
        ("model.ignore_merges", True, "ignore_merges"),
        ("model.dropout", 0.1, "dropout"),
        ("normalizer", {"type": "NFC"}, "normalizer: expected None"),
        ("pre_tokenizer", None, "expected ByteLevel"),
        ("pre_tokenizer.add_prefix_space", True, "add_prefix_space: expected False"),
        ("pre_tokenizer", {"type": "Sequence", "pretokenizers": []}, "expected ByteLevel"),
        ("added_tokens", [{"id": 257, "content": "<end>"}], "special"),
        ("added_tokens", [{"id": 257, "content": "<e>", "special": True, "lstrip": True}], "<e>"),
        ("added_tokens", [{"id": 0, "content": "<end>", "special": True}], "id twice"),
        ("added_tokens", [{"content": "<end>", "special": True}], "id: expected int"),
        ("added_tokens", [{"id": 257, "content": "", "special": True}], "special_tokens"),
        ("added_tokens", 5, "added_tokens: expected list"),
    ],
)
def test_what_the_course_cannot_do_is_refused(
    path: str, value: object, message: str, tmp_path: Path
) -> None:
    document = bpe_document()
    place = document
    *outer, last = path.split(".")
    for key in outer:
        place = place[key]
    place[last] = value
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(document))
    with pytest.raises(CourseError, match=message):
        load(file)


def test_a_document_comes_back() -> None:
    tokenizer = read_bpe(bpe_document())
    assert tokenizer.encode("ab<end>", allow_special=True) == [256, 257]
    again = read_bpe(bpe_document() | write_bpe(tokenizer))
    assert again.merges == tokenizer.merges == [("a", "b")]
    assert again.vocabulary == tokenizer.vocabulary


def test_digits_before_the_byte_level_are_smollms_split() -> None:
    steps = [{"type": "Digits", "individual_digits": True}, bpe_document()["pre_tokenizer"]]
    document = bpe_document() | {"pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}}
    assert read_bpe(document).pre_split == SMOLLM_SPLIT
    steps[0]["individual_digits"] = False
    with pytest.raises(ValueError, match="individual_digits"):
        read_bpe(document)


@pytest.mark.parametrize(("pattern", "message"), [("a{1,2}+|.", "possessive"), ("(", "pattern:")])
def test_a_pattern_that_others_read_otherwise_is_refused(pattern: str, message: str) -> None:
    byte_level = bpe_document()["pre_tokenizer"] | {"use_regex": False}
    cut = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    document = bpe_document()
    document["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [cut, byte_level]}
    with pytest.raises(ValueError, match=message):
        read_bpe(document)
