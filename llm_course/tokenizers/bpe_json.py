"""Byte-level BPE in ``tokenizer.json``: which pre-tokenizer stands for which splitting rule."""

from collections.abc import Mapping
from typing import Any

import regex

from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import GPT2_SPLIT, SMOLLM_SPLIT
from llm_course.tokenizers.tokenizer_document import added_tokens, only, part, vocabulary

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}


def _sequence(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Sequence", "pretokenizers": list(steps)}


def _pre_tokenizer(pattern: str) -> dict[str, Any]:
    """The pre-tokenizer that cuts as a pattern does."""
    if pattern == GPT2_SPLIT:
        return _BYTE_LEVEL | {"use_regex": True}
    if pattern == SMOLLM_SPLIT:
        digits = {"type": "Digits", "individual_digits": True}
        return _sequence(digits, _BYTE_LEVEL | {"use_regex": True})
    split = {
        "type": "Split",
        "pattern": {"Regex": _same_everywhere(pattern)},
        "behavior": "Isolated",
    }
    return _sequence(split | {"invert": False}, _BYTE_LEVEL | {"use_regex": False})


def _same_everywhere(pattern: str) -> str:
    """Refuse what Oniguruma, which reads patterns in Hugging Face's tokenizers, reads otherwise.

    To it ``a{1,3}+`` is a repeated ``a{1,3}``, to the regex module one without going back.
    """
    if regex.search(r"\}\+", regex.sub(r"\\[pP]\{\^?\w+\}", "", pattern)):
        raise ValueError(f"pattern: expected no possessive {{n,m}}+, got {pattern[:80]!r}.")
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(
            f"pattern: expected a regular expression, got {pattern[:80]!r}."
        ) from error
    return pattern


def _pre_split(document: Mapping[str, Any]) -> str:
    """The pattern that cuts as a document's pre-tokenizer does."""
    found = document.get("pre_tokenizer")
    if isinstance(found, Mapping) and found.get("type") == "Sequence":
        steps = part(found, "pretokenizers", list)
    else:
        steps = [found]
    if not steps or not all(isinstance(step, Mapping) for step in steps):
        raise ValueError(f"pre_tokenizer: expected ByteLevel, got {str(found)[:80]}.")
    only(steps[-1], "type", "ByteLevel")
    only(steps[-1], "add_prefix_space", False)
    own_rule = only(steps[-1], "use_regex", True, False, None) is not False
    before = steps[:-1]
    if not before and own_rule:
        return GPT2_SPLIT
    if len(before) == 1 and own_rule:
        only(before[0], "type", "Digits")
        only(before[0], "individual_digits", True)
        return SMOLLM_SPLIT
    if len(before) == 1:
        only(before[0], "type", "Split")
        only(before[0], "behavior", "Isolated")
        only(before[0], "invert", False)
        return _same_everywhere(part(before[0], "pattern.Regex", str))
    raise ValueError(f"pre_tokenizer: expected a rule the course has, got {str(found)[:80]}.")


def write_bpe(tokenizer: ByteLevelBPE) -> dict[str, Any]:
    """The parts of the document that are BPE's own.

    Raises:
        ValueError: the tokenizer has tiktoken's rule, which the format has no exact form for.
    """
    if tokenizer.merges is None:
        raise ValueError(
            "tokenizer: expected one with a list of merges, got tiktoken's rule, which "
            "tokenizer.json cannot express exactly. Fix: keep its table as it was published"
        )
    return {
        "pre_tokenizer": _pre_tokenizer(tokenizer.pre_split),
        "decoder": _BYTE_LEVEL | {"use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": tokenizer.vocabulary,
            "merges": [list(merge) for merge in tokenizer.merges],
        },
    }


def read_bpe(document: Mapping[str, Any]) -> ByteLevelBPE:
    """The tokenizer of a document.

    Raises:
        ValueError: a part is damaged, or is something else than byte-level BPE.
    """
    only(document, "normalizer", None)
    for name in ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"):
        only(document, f"model.{name}", None, "")
    for name in ("fuse_unk", "byte_fallback", "ignore_merges"):
        only(document, f"model.{name}", None, False)
    special = added_tokens(document)
    merges = [
        # Older files write a merge as one text, its halves with a space between.
        merge.split(" ") if isinstance(merge, str) else merge
        for merge in part(document, "model.merges", list)
    ]
    for merge in merges:
        if not (isinstance(merge, list) and [type(half) for half in merge] == [str, str]):
            raise ValueError(f"model.merges: expected pairs of tokens, got {str(merge)[:60]}.")
    return ByteLevelBPE(
        vocabulary(document) | special,
        [(left, right) for left, right in merges],
        pre_split=_pre_split(document),
        special_tokens=special,
        missing_bytes="drop",
    )
