"""Unigram in tokenizer.json: Hugging Face reads ours, and we read theirs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from llm_course.errors import CourseError
from llm_course.tokenizers.metaspace import SENTENCEPIECE, Preparation
from llm_course.tokenizers.tokenizer_json import load, save
from llm_course.tokenizers.unigram import Unigram
from llm_course.tokenizers.unigram_training import train_unigram
from tests.tokenizers.unigram_references import lines_of

LINES = lines_of("stories", 60_000)
TEXTS = [
    *LINES[:100],
    *["", " ", "  a  b ", " lead", "tail ", "é😀\u200dx～ﬁ\u061c y\tz\x01q", "日本", "a" * 50],
]
PREPARATIONS = [
    Preparation(),
    SENTENCEPIECE,
    Preparation(normalizer="nfkc", spaces="runs", prefix="missing"),
    Preparation(normalizer="nmt_then_nfkc", prefix="never"),
]


def ours(prepare: Preparation, byte_fallback: bool) -> Unigram:
    return train_unigram(
        LINES,
        450,
        prepare=prepare,
        byte_fallback=byte_fallback,
        special_tokens=["<unk>", "<end>"],
    )


@pytest.fixture(
    scope="module",
    params=[(p, b) for p in PREPARATIONS for b in (True, False)],
    ids=lambda pair: f"{pair[0].normalizer}-{pair[1]}",
)
def saved(request, tmp_path_factory):
    tokenizer = ours(*request.param)
    path = tmp_path_factory.mktemp("json") / "tokenizer.json"
    save(tokenizer, path)
    return tokenizer, Tokenizer.from_file(str(path)), load(path)


def theirs_ids(reference: Tokenizer, text: str) -> list[int]:
    return reference.encode(text, add_special_tokens=False).ids


def test_hugging_face_reads_ours(saved):
    tokenizer, reference, _ = saved
    assert reference.get_vocab() == tokenizer.vocabulary
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert theirs_ids(reference, text) == ids
        assert reference.decode(ids, skip_special_tokens=False) == tokenizer.decode(ids)


def test_we_read_ours(saved):
    tokenizer, _, again = saved
    assert again.pieces == tokenizer.pieces
    assert again.special_tokens == tokenizer.special_tokens
    assert again.prepare == tokenizer.prepare
    assert [again.encode(text) for text in TEXTS] == [tokenizer.encode(text) for text in TEXTS]


@settings(deadline=None)
@given(text=st.text(st.sampled_from(" ▁aeth.,é日😀ﬁ～\t") | st.characters(codec="latin-1")))
def test_ids_agree_on_made_texts(saved, text):
    _, reference, again = saved
    assert again.encode(text) == theirs_ids(reference, text)


def test_special_tokens_agree(saved):
    _, reference, again = saved
    for text in ["a<end>b", "<end>", "a b<end><end> c"]:
        assert again.encode(text, allow_special=True) == theirs_ids(reference, text)


def their_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=400, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def test_we_read_theirs(tmp_path):
    reference = their_tokenizer()
    reference.save(str(tmp_path / "tokenizer.json"))
    tokenizer = load(tmp_path / "tokenizer.json")
    for text in TEXTS:
        ids = theirs_ids(reference, text)
        assert tokenizer.encode(text) == ids
        assert tokenizer.decode(ids) == reference.decode(ids, skip_special_tokens=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"normalizer": {"type": "Lowercase"}}, "normalizer: expected one the course has"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "pre_tokenizer.type: expected Metaspace"),
        ({"model": {"type": "Unigram", "vocab": 3}}, "model.vocab: expected list"),
        ({"model": {"type": "Unigram", "vocab": [["a"]]}}, "expected pairs of token and score"),
        ({"model": {"type": "Unigram", "vocab": [["a", 0]]}}, "model.unk_id: expected int"),
        ({"model": {"type": "Unigram", "vocab": [["a", 0]], "unk_id": 7}}, "expected an id below"),
        ({"added_tokens": [{"id": 9, "content": "<x>", "special": True}]}, "expected '<x>' in"),
    ],
)
def test_what_cannot_be_done_exactly_is_refused(tmp_path, change, message):
    path = tmp_path / "tokenizer.json"
    save(ours(Preparation(), False), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CourseError, match=message):
        load(path)


def test_a_tokenizer_without_an_unknown_token_cannot_be_saved(tmp_path):
    tokenizer = train_unigram(LINES, 450, special_tokens=[])
    with pytest.raises(ValueError, match="needs one even with byte fallback"):
        save(tokenizer, tmp_path / "tokenizer.json")
    assert not list(tmp_path.iterdir())
