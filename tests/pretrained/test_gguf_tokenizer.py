"""The tokenizer tables of GGUF files written here; the real one is compared in test_bpe."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from llm_course.errors import CourseError
from llm_course.pretrained.gguf import open_gguf
from llm_course.pretrained.gguf_tokenizer import TokenizerTables, build_tokenizer, gguf_tokenizer
from llm_course.tokenizers.byte_level import GPT2_SPLIT, SMOLLM_SPLIT

Writer = Callable[..., Path]


def test_tables_are_the_metadata(tmp_path: Path, gguf_writer: Writer) -> None:
    path = gguf_writer(tmp_path / "a.gguf", {"tokenizer.chat_template": "{{ 1 }}"})
    assert gguf_tokenizer(open_gguf(path)) == TokenizerTables(
        tokens=["a", "b", "ab", "<end>"],
        merges=["a b"],
        special_tokens=["<end>"],
        split="smollm",
        chat_template="{{ 1 }}",
        end_id=3,
    )


def test_tables_survive_json(tmp_path: Path, gguf_writer: Writer) -> None:
    tables = gguf_tokenizer(open_gguf(gguf_writer(tmp_path / "a.gguf")))
    assert TokenizerTables(**json.loads(json.dumps(asdict(tables)))) == tables


@pytest.mark.parametrize(("name", "pattern"), [("gpt-2", GPT2_SPLIT), ("smollm", SMOLLM_SPLIT)])
def test_the_split_is_the_one_named(
    tmp_path: Path, gguf_writer: Writer, name: str, pattern: str
) -> None:
    path = gguf_writer(tmp_path / "a.gguf", {"tokenizer.ggml.pre": name})
    tokenizer = build_tokenizer(gguf_tokenizer(open_gguf(path)))
    assert tokenizer.pre_split == pattern
    assert tokenizer.encode("ab<end>", allow_special=True) == [2, 3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokenizer.ggml.model": "llama"}, "tokenizer.ggml.model: expected gpt2, got 'llama'"),
        ({"tokenizer.ggml.pre": "qwen2"}, "expected gpt-2 or smollm, got 'qwen2'"),
        ({"tokenizer.ggml.merges": None}, "expected the metadata tokenizer.ggml.merges"),
    ],
)
def test_other_tokenizers_are_refused(
    tmp_path: Path, gguf_writer: Writer, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(CourseError) as caught:
        gguf_tokenizer(open_gguf(gguf_writer(tmp_path / "a.gguf", settings)))
    assert message in str(caught.value) and " Fix: " in str(caught.value)
