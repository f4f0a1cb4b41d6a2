"""tokenizer.json in both directions: Hugging Face's tokenizers reads ours, and we read theirs."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from llm_course.errors import CourseError
from llm_course.tokenizers.base import Tokenizer as Base
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.bpe_training import train_bpe
from llm_course.tokenizers.byte_level import (
    CL100K_SPLIT,
    GPT2_SPLIT,
    SMOLLM_SPLIT,
    byte_characters,
)
from llm_course.tokenizers.published import cl100k, gpt2
from llm_course.tokenizers.tokenizer_json import load, save
from llm_course.tokenizers.wordpiece_training import train_wordpiece

TEXTS = ["the quick brown foxes aren't 12345 slow; the they then\n\n  indented()", "über Ünïcode"]


def trained(kind: str) -> Base:
    if kind == "WordPiece":
        return train_wordpiece(TEXTS, 120)
    if kind == "cased":
        return train_wordpiece(TEXTS, 120, lowercase=False)
    split = {"gpt2": GPT2_SPLIT, "smollm": SMOLLM_SPLIT, "cl100k": CL100K_SPLIT}[kind]
    return train_bpe(TEXTS, 300, pre_split=split, special_tokens=["<end>", "[MASK]"])


@pytest.mark.parametrize("kind", ["gpt2", "smollm", "cl100k", "WordPiece", "cased"])
def test_they_read_ours_and_we_read_it_back(
    kind: str, tmp_path: Path, bert_strings: list[str]
) -> None:
    ours = trained(kind)
    assert isinstance(ours, Base)
    save(ours, tmp_path / "tokenizer.json")
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    again = load(tmp_path / "tokenizer.json")
    assert theirs.get_vocab() == ours.vocabulary == again.vocabulary
    assert again.special_tokens == ours.special_tokens
    texts = [*TEXTS, "a <end>b[MASK] the", *bert_strings[:500]]
    for text in texts:
        ids = ours.encode(text, allow_special=True)
        assert again.encode(text, allow_special=True) == ids
        assert theirs.encode(text).ids == ids
        assert theirs.decode(ids, skip_special_tokens=False) == ours.decode(ids)
        assert theirs.decode(ids, skip_special_tokens=True) == ours.decode(ids, skip_special=True)


@pytest.mark.parametrize(
    "pre_tokenizer",
    [
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        ),
        pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(r"\p{N}{1,2}|\s?\p{L}+|\s+|."), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        ),
    ],
)
def test_we_read_theirs(pre_tokenizer: object, tmp_path: Path, varied_strings: list[str]) -> None:
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        show_progress=False,
        special_tokens=["<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    theirs.train_from_iterator(TEXTS, trainer)
    theirs.add_special_tokens(["<added>"])
    theirs.save(str(tmp_path / "tokenizer.json"))
    ours = load(tmp_path / "tokenizer.json")
    assert isinstance(ours, ByteLevelBPE)
    assert ours.special_tokens == {"<s>": 0, "<added>": theirs.token_to_id("<added>")}
    for text in ["a<added>b <s>", *varied_strings[:500]]:
        assert ours.encode(text, allow_special=True) == theirs.encode(text).ids


def test_gpt2_has_the_same_ids_there(tmp_path: Path, varied_strings: list[str]) -> None:
    ours = gpt2()
    save(ours, tmp_path / "tokenizer.json")
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    found = theirs.encode_batch(varied_strings[:3_000])
    assert [e.ids for e in found] == [ours.encode(t, True) for t in varied_strings[:3_000]]


def test_merges_as_older_files_write_them(tmp_path: Path) -> None:
    ours = trained("gpt2")
    save(ours, tmp_path / "tokenizer.json")
    document = json.loads((tmp_path / "tokenizer.json").read_text())
    document["model"]["merges"] = [" ".join(merge) for merge in document["model"]["merges"]]
    (tmp_path / "old.json").write_text(json.dumps(document))
    assert load(tmp_path / "old.json").merges == ours.merges


def test_what_cannot_be_saved_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="tiktoken's rule"):
        save(cl100k(), tmp_path / "tokenizer.json")
    with pytest.raises(TypeError, match="got dict"):
        save({}, tmp_path / "tokenizer.json")
    characters = {character: byte for byte, character in enumerate(byte_characters())}
    with pytest.raises(ValueError, match="possessive"):
        save(ByteLevelBPE(characters, [], pre_split=r"a{1,2}+|."), tmp_path / "tokenizer.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a JSON text"),
        (b'{"model": {"type": "BPE", "vo', "expected a JSON text"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "expected a JSON text"),
        (b"[]", "expected a JSON object, got a list"),
        (b"{}", "model.type: expected BPE or Unigram or WordPiece"),
        (b"[" * 100_000, "expected a JSON text"),
        (b'{"model": {"type": ["BPE"]}}', "model.type"),
    ],
)
def test_a_damaged_file_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(CourseError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value) and "Fix: " in str(caught.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="No such file"):
        load(tmp_path / "tokenizer.json")


def bpe_document() -> dict:
    characters = {character: byte for byte, character in enumerate(byte_characters())}
    return {
        "version": "1.0",
        "added_tokens": [{"id": 257, "content": "<end>", "special": True}],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "model": {"type": "BPE", "vocab": characters | {"ab": 256}, "merges": [["a", "b"]]},
    }


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), st.lists)


@given(data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_part_of_another_kind_is_no_crash(data: st.DataObject, tmp_path: Path) -> None:
    """Any one part replaced by anything: it loads, or the error is one of the house."""
    document = copy.deepcopy(bpe_document())
    place, key = document, data.draw(st.sampled_from(list(document)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else [0]))
    place[key] = data.draw(JSON)
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(document))
    try:
        load(file).encode("ab")
    except CourseError as error:
        assert "Fix: " in str(error)
    except ValueError as error:
        assert "pattern" not in str(error)
