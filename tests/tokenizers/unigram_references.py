"""Texts and SentencePiece models that several Unigram tests share."""

import io
import random
from functools import cache

import sentencepiece

from llm_course.data.corpora import load
from llm_course.tokenizers.metaspace import SENTENCEPIECE, Preparation
from llm_course.tokenizers.unigram import Unigram

SPECIAL = ("<unk>", "<s>", "</s>")
CORPORA = {"stories": "tiny_world", "code": "python", "articles": "wiki_en"}


@cache
def lines_of(corpus: str, n_bytes: int) -> list[str]:
    """Lines of up to 300 characters from all over a corpus, always the same ones."""
    documents = load(CORPORA[corpus])
    lines = [line[:300] for d in documents for line in d.text.split("\n") if line.strip()]
    random.Random(0).shuffle(lines)
    kept, size = [], 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > n_bytes:
            break
        kept.append(line)
    return kept


@cache
def sentencepiece_model(
    corpus: str, vocab_size: int, n_bytes: int = 300_000, **options: object
) -> sentencepiece.SentencePieceProcessor:
    """A model that SentencePiece trains here."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines_of(corpus, n_bytes)),
        model_writer=written,
        vocab_size=vocab_size,
        model_type="unigram",
        minloglevel=2,
        num_threads=1,
        **options,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())


def same_model(
    theirs: sentencepiece.SentencePieceProcessor, prepare: Preparation = SENTENCEPIECE
) -> Unigram:
    """Ours with the pieces and scores of theirs."""
    ids = range(theirs.get_piece_size())
    special = [theirs.id_to_piece(i) for i in ids if theirs.is_control(i) or theirs.is_unknown(i)]
    return Unigram(
        [(theirs.id_to_piece(i), theirs.get_score(i)) for i in ids],
        special,
        byte_fallback=any(map(theirs.is_byte, ids)),
        prepare=prepare,
        keep_marks=False,
        arithmetic="float32",
    )
