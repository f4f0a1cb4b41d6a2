"""Unigram in ``tokenizer.json``: which normaliser and pre-tokenizer stand for which preparation.

Hugging Face's encoder takes every token of the file for a piece that text may spell, byte tokens
as well, and a ``▁`` in the text for a space: a text that holds ``<0x41>`` or ``▁`` may get other
ids there. Its decoder gives one ``�`` for each byte that is no UTF-8.
"""

from collections.abc import Mapping
from typing import Any

from llm_course.tokenizers.byte_fallback import BYTE_TOKENS
from llm_course.tokenizers.metaspace import BLANKS, KEPT, MARK, REMOVED, Normalizer, Preparation
from llm_course.tokenizers.tokenizer_document import added_tokens, only, part
from llm_course.tokenizers.unigram import Unigram

Step = dict[str, Any]
_HIDDEN = "\uffff"  # No character, so no text holds it; NFKC leaves it alone.


def _replace(kind: str, pattern: str, content: str) -> Step:
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def _class(characters: str) -> str:
    return "[" + "".join(f"\\x{{{ord(character):04X}}}" for character in characters) + "]"


NORMALIZER_STEPS: dict[Normalizer, list[Step]] = {
    "identity": [],
    "nfkc": [{"type": "NFKC"}],
    "nmt_then_nfkc": [{"type": "Nmt"}, {"type": "NFKC"}],
    "nmt_nfkc": [
        _replace("Regex", _class(REMOVED), ""),
        _replace("Regex", _class(BLANKS), " "),
        _replace("String", KEPT, _HIDDEN),
        {"type": "NFKC"},
        _replace("String", _HIDDEN, KEPT),
    ],
}
"""Hugging Face's steps for each normaliser."""

_RUNS = _replace("Regex", " {2,}", " ")
_ENDS = _replace("Regex", "^ | $", "")
_SPACES = {"keep": [], "runs": [_RUNS], "all": [_RUNS, _ENDS]}
_PREPEND = {"type": "Prepend", "prepend": MARK}
_MARKS = {"type": "Metaspace", "replacement": MARK, "prepend_scheme": "never", "split": True}


def write_unigram(tokenizer: Unigram) -> dict[str, Any]:
    """The parts of the document that are Unigram's own.

    Raises:
        ValueError: the tokenizer has no token for unknown characters, which the format needs.
    """
    if tokenizer.unknown not in tokenizer.special_tokens:
        raise ValueError(
            f"unknown: expected one of special_tokens, got {tokenizer.unknown!r}; Hugging Face's "
            "Unigram needs one even with byte fallback. Fix: add it to special_tokens"
        )
    prepare = tokenizer.prepare
    steps = [*NORMALIZER_STEPS[prepare.normalizer], *_SPACES[prepare.spaces]]
    if prepare.prefix == "always":
        steps.append(_PREPEND)
    scheme = "always" if prepare.prefix == "missing" else "never"
    decoders: list[Step] = [_replace("String", MARK, " ")]
    decoders += [{"type": "ByteFallback"}] if tokenizer.byte_fallback else []
    decoders += [{"type": "Fuse"}]
    if prepare.prefix != "never":
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {
        "normalizer": {"type": "Sequence", "normalizers": steps} if steps else None,
        "pre_tokenizer": _MARKS | {"prepend_scheme": scheme},
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "Unigram",
            "unk_id": tokenizer.vocabulary[tokenizer.unknown],
            "vocab": [list(piece) for piece in tokenizer.pieces],
            "byte_fallback": tokenizer.byte_fallback,
        },
    }


def read_unigram(document: Mapping[str, Any]) -> Unigram:
    """The tokenizer of a document. It takes a ``▁`` in a text for a space, as the format does.

    Raises:
        ValueError: a part is damaged, or asks for something that the course cannot do exactly.
    """
    pieces = [_piece(entry) for entry in part(document, "model.vocab", list)]
    unknown_id = part(document, "model.unk_id", int)
    if not 0 <= unknown_id < len(pieces):
        raise ValueError(f"model.unk_id: expected an id below {len(pieces)}, got {unknown_id}.")
    unknown = pieces[unknown_id][0]
    special = added_tokens(document)
    for token, token_id in special.items():
        if token_id >= len(pieces) or pieces[token_id][0] != token:
            raise ValueError(f"added_tokens: expected {token!r} in model.vocab, at id {token_id}.")
    return Unigram(
        pieces,
        special_tokens={**special, unknown: unknown_id},
        unknown=unknown,
        byte_fallback=bool(only(document, "model.byte_fallback", None, True, False))
        and BYTE_TOKENS[0] in dict(pieces),
        prepare=_preparation(document),
        keep_marks=False,
    )


def _piece(entry: object) -> tuple[str, float]:
    match entry:
        case [str(token), float() | int() as score]:
            return token, float(score)
    raise ValueError(f"model.vocab: expected pairs of token and score, got {str(entry)[:60]}.")


def _preparation(document: Mapping[str, Any]) -> Preparation:
    """What the normaliser and the pre-tokenizer together do to a text."""
    normalizer = document.get("normalizer")
    steps = [] if normalizer is None else [normalizer]
    if isinstance(normalizer, Mapping) and normalizer.get("type") == "Sequence":
        steps = list(part(normalizer, "normalizers", list))
    only(document, "pre_tokenizer.type", "Metaspace")
    only(document, "pre_tokenizer.replacement", MARK)
    only(document, "pre_tokenizer.split", None, True)
    scheme = only(document, "pre_tokenizer.prepend_scheme", "always", "never")
    prefix = "missing" if scheme == "always" else "never"
    if steps and steps[-1] == _PREPEND and scheme == "never":
        prefix, steps = "always", steps[:-1]
    for name, own in NORMALIZER_STEPS.items():
        for spaces, more in _SPACES.items():
            if steps == [*own, *more]:
                return Preparation(normalizer=name, spaces=spaces, prefix=prefix)
    raise ValueError(f"normalizer: expected one the course has, got {str(normalizer)[:80]}.")
