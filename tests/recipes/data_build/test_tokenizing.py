"""Tokenizers of a build: bytes, learnt, from a file; what cannot serve is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.data.documents import Document
from llm_course.errors import CourseError
from llm_course.recipes.data_build.document_files import write_documents
from llm_course.recipes.data_build.recipe import TokenizerEntry
from llm_course.recipes.data_build.tokenizing import (
    FILE,
    byte_tokenizer,
    prepare_tokenizer,
    training_texts,
    vocabulary_size,
    whole,
)
from llm_course.recipes.data_build.workspace import Workspace
from llm_course.tokenizers.tokenizer_json import load, save

END = "<|endoftext|>"


@pytest.fixture
def pieces(tmp_path):
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.jsonl")
        texts = [f"low lower lowest {number} {i}" for i in range(number + 1)]
        write_documents(paths[-1], [Document(id=text, text=text, corpus="a") for text in texts])
    return paths


@settings(deadline=None)
@given(st.text(st.characters()))
def test_bytes_are_the_ids_and_halves_of_pairs_are_replaced(text):
    tokenizer, clean = byte_tokenizer(END), whole(text)
    assert tokenizer.encode(clean) == list(clean.encode())
    assert len(clean) <= len(text)
    if not any(0xD800 <= ord(character) < 0xE000 for character in text):
        assert clean == text


def test_bpe_learns_from_the_pieces(tmp_path, pieces):
    entry = TokenizerEntry(use="bpe", vocab_size=262)
    prepare_tokenizer(Workspace(tmp_path / "out"), entry, pieces)
    tokenizer = load(tmp_path / "out" / FILE)
    assert len(tokenizer.encode("lower lowest")) < len("lower lowest")
    assert END in tokenizer.special_tokens and vocabulary_size(tokenizer) == 262


def test_a_tokenizer_that_is_there_is_kept(tmp_path, pieces):
    save(byte_tokenizer(END), tmp_path / FILE)
    before = (tmp_path / FILE).read_bytes()
    prepare_tokenizer(Workspace(tmp_path), TokenizerEntry(use="bpe", vocab_size=262), pieces)
    assert (tmp_path / FILE).read_bytes() == before


def test_training_texts_come_from_every_piece_in_turn(pieces):
    found = [text[-3:] for text in training_texts(pieces, 10_000)]
    assert found == ["0 0", "1 0", "2 0", "1 1", "2 1", "2 2"]
    assert len(list(training_texts(pieces, 25))) == 2
    assert list(training_texts([], 25)) == []


def test_a_file_without_the_end_token(tmp_path, pieces):
    save(byte_tokenizer("<end>"), tmp_path / "other.json")
    entry = TokenizerEntry(use="file", path=str(tmp_path / "other.json"))
    with pytest.raises(CourseError, match=r"expected the special token .*, got <end>. Fix: "):
        prepare_tokenizer(Workspace(tmp_path / "out"), entry, pieces)


def test_a_file_that_is_missing(tmp_path, pieces):
    entry = TokenizerEntry(use="file", path=str(tmp_path / "none.json"))
    with pytest.raises(CourseError, match=r"none\.json"):
        prepare_tokenizer(Workspace(tmp_path / "out"), entry, pieces)


def test_a_vocabulary_larger_than_the_text_allows(tmp_path):
    with pytest.raises(CourseError, match="tokenizer: "):
        prepare_tokenizer(Workspace(tmp_path), TokenizerEntry(use="bpe", vocab_size=300), [])
