"""WordPiece in ``tokenizer.json``, with BERT's normaliser and pre-tokenizer and no others."""

from collections.abc import Mapping
from typing import Any

from llm_course.tokenizers.tokenizer_document import added_tokens, only, vocabulary
from llm_course.tokenizers.wordpiece import CONTINUES, UNKNOWN, WordPiece


def write_wordpiece(tokenizer: WordPiece) -> dict[str, Any]:
    """The parts of the document that are WordPiece's own."""
    return {
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": tokenizer.lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": CONTINUES, "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": UNKNOWN,
            "continuing_subword_prefix": CONTINUES,
            "max_input_chars_per_word": 100,
            "vocab": tokenizer.vocabulary,
        },
    }


def read_wordpiece(document: Mapping[str, Any]) -> WordPiece:
    """The tokenizer of a document.

    Raises:
        ValueError: a part is damaged, or is not as in BERT.
    """
    only(document, "normalizer.type", "BertNormalizer")
    only(document, "normalizer.clean_text", True)
    only(document, "normalizer.handle_chinese_chars", True)
    lowercase = only(document, "normalizer.lowercase", True, False)
    only(document, "normalizer.strip_accents", None, lowercase)
    only(document, "pre_tokenizer.type", "BertPreTokenizer")
    only(document, "model.unk_token", UNKNOWN)
    only(document, "model.continuing_subword_prefix", CONTINUES)
    only(document, "model.max_input_chars_per_word", 100)
    special = added_tokens(document)
    return WordPiece(vocabulary(document) | special, [UNKNOWN, *special], lowercase)
