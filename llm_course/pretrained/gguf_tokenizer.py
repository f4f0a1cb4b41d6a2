"""The tokenizer and the chat template that a GGUF file carries in its metadata.

Leaves out every kind but byte-level BPE, and every splitting rule but GPT-2's and SmolLM's.
"""

from dataclasses import dataclass

from llm_course.errors import CourseError
from llm_course.pretrained.gguf import GGUFFile
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import GPT2_SPLIT, SMOLLM_SPLIT

_SPLITS = {"gpt-2": GPT2_SPLIT, "smollm": SMOLLM_SPLIT}

_SPECIAL = 3
"""GGUF's type of a control token; ordinary tokens have type 1."""


@dataclass(frozen=True, kw_only=True)
class TokenizerTables:
    """What a tokenizer is made of, in plain values that can be kept as JSON.

    Args:
        tokens: the tokens; a token's place is its id.
        merges: the two halves of each merge with a space between, earliest learned first.
        special_tokens: the tokens that stand for themselves.
        split: the name of the rule that cuts text into words: ``gpt-2`` or ``smollm``.
        chat_template: how a conversation becomes one text, in Jinja.
        end_id: the token that ends a text or a turn.
    """

    tokens: list[str]
    merges: list[str]
    special_tokens: list[str]
    split: str
    chat_template: str
    end_id: int


def gguf_tokenizer(file: GGUFFile) -> TokenizerTables:
    """The tokenizer of the model in a GGUF file.

    Raises:
        CourseError: it is of another kind than byte-level BPE, or a table is missing.
    """
    for key, supported in (("model", ["gpt2"]), ("pre", list(_SPLITS))):
        found = file.value(f"tokenizer.ggml.{key}")
        if found not in supported:
            raise CourseError(
                f"{file.path}: tokenizer.ggml.{key}: expected {' or '.join(supported)}, "
                f"got {found!r}. Fix: use a model with a byte-level BPE tokenizer"
            )
    tokens = file.value("tokenizer.ggml.tokens")
    types = file.value("tokenizer.ggml.token_type")
    return TokenizerTables(
        tokens=tokens,
        merges=file.value("tokenizer.ggml.merges"),
        special_tokens=[
            token for token, kind in zip(tokens, types, strict=True) if kind == _SPECIAL
        ],
        split=file.value("tokenizer.ggml.pre"),
        chat_template=file.metadata.get("tokenizer.chat_template", ""),
        end_id=file.value("tokenizer.ggml.eos_token_id"),
    )


def build_tokenizer(tables: TokenizerTables) -> ByteLevelBPE:
    """The tokenizer of the tables.

    A byte that the vocabulary lacks is dropped, as in the tokenizers such models were trained
    with. SmolLM2 lacks 21 of the 256: 13 that UTF-8 never uses, 6 control characters, and 0xF1
    and 0xF2, which begin characters of planes that Unicode hardly uses.

    >>> tables = TokenizerTables(
    ...     tokens=["a", "b", "ab", "<end>"], merges=["a b"], special_tokens=["<end>"],
    ...     split="gpt-2", chat_template="", end_id=3,
    ... )
    >>> build_tokenizer(tables).encode("abac")
    [2, 0]
    """
    return ByteLevelBPE(
        {token: token_id for token_id, token in enumerate(tables.tokens)},
        [tuple(merge.split(" ")) for merge in tables.merges],
        pre_split=_SPLITS[tables.split],
        special_tokens=tables.special_tokens,
        missing_bytes="drop",
    )
