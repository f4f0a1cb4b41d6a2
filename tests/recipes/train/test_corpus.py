"""The data of a run: reproducible, apart, and refused if it is another recipe's."""

import pytest

from llm_course.data.packing.token_stream import TokenStream
from llm_course.data.tiny_world.text import documents
from llm_course.errors import CourseError
from llm_course.recipes.data_build.recipe import parse_recipe
from llm_course.recipes.data_build.run import build
from llm_course.recipes.train.corpus import END, end_id, generated_texts, open_corpus
from llm_course.recipes.train.recipe import DataEntry
from llm_course.tokenizers.bpe_training import train_bpe


def test_the_tokens_are_those_of_the_texts(recipe, tmp_path):
    corpus = open_corpus(recipe, tmp_path, 16)
    stream = TokenStream(tmp_path / "held_out")
    texts = [document.text for document in documents(1500, 3, "held_out")]
    assert [
        corpus.tokenizer.decode(stream.document(number)) for number in range(stream.n_documents)
    ] == [text + END for text in texts]
    assert end_id(corpus.tokenizer) == stream.document(0)[-1]


def test_it_is_made_once_and_the_same_everywhere(recipe, tmp_path):
    first = open_corpus(recipe, tmp_path / "a", 16)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    again = open_corpus(recipe, tmp_path / "a", 16)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")} == times
    other = open_corpus(recipe, tmp_path / "b", 16)
    assert first.sha256 == again.sha256 == other.sha256


def test_a_generation_that_was_interrupted_is_done_again(recipe, tmp_path):
    whole = open_corpus(recipe, tmp_path, 16).sha256
    (tmp_path / "index.json").unlink()
    (tmp_path / "held_out" / "shard-00000.tokens").unlink()
    assert open_corpus(recipe, tmp_path, 16).sha256 == whole


def test_other_data_have_another_hash(make, tmp_path):
    hashes = {
        open_corpus(made, tmp_path / str(number), 16).sha256
        for number, made in enumerate(
            [make(), make(seed=4), make(data={"n_bytes": 13_000}), make(data={"vocab_size": 300})]
        )
    }
    assert len(hashes) == 4


def test_a_token_that_was_changed_changes_the_hash(recipe, tmp_path):
    whole = open_corpus(recipe, tmp_path, 16).sha256
    path = tmp_path / "train" / "shard-00000.tokens"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(bytes(content))
    assert open_corpus(recipe, tmp_path, 16).sha256 != whole


def test_the_data_of_another_recipe_are_refused(make, tmp_path):
    open_corpus(make(), tmp_path, 16)
    with pytest.raises(CourseError, match="expected the data of .*'seed': 4.* got that of .*3"):
        open_corpus(make(seed=4), tmp_path, 16)


def test_nothing_held_out_is_trained_on(recipe):
    train, held_out = (set(generated_texts(recipe, split)) for split in ("train", "held_out"))
    assert train and held_out and not train & held_out


def test_the_files_of_a_build_are_read(make, tmp_path):
    table = {
        "name": "built",
        "corpora": [{"name": "tiny_world", "limit": 80}],
        "tokenizer": {"use": "bpe", "vocab_size": 300, "training_bytes": 5000},
    }
    build(parse_recipe(table), tmp_path / "built")
    recipe = make(data={"tokens": str(tmp_path / "built"), "held_out_tokens": 500})
    corpus = open_corpus(recipe, tmp_path / "unused", 16)
    n = len(TokenStream(tmp_path / "built" / "shards"))
    assert corpus.train.stop == n - 500 == corpus.held_out.start
    assert not (tmp_path / "unused").exists()
    with pytest.raises(CourseError, match="expected more than 16 tokens, one row"):
        open_corpus(
            make(data={"tokens": str(tmp_path / "built"), "held_out_tokens": n}), tmp_path, 16
        )


def test_the_default_of_every_field_is_a_corpus():
    assert DataEntry().held_out_bytes < DataEntry().n_bytes


def test_a_tokenizer_without_an_end_is_refused():
    with pytest.raises(CourseError, match="tokenizer: expected the special token .* got none"):
        end_id(train_bpe(["a b a b"], 257))
