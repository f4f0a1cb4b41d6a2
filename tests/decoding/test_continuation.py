"""When a text ends, and that each text of a batch is chosen by its own settings."""

import pytest
import torch

from llm_course.decoding.continuation import Continuation, GenerationConfig, choose
from llm_course.decoding.sampling import SamplingConfig
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import byte_characters

MODEL = Decoder(
    DecoderConfig(vocab_size=256, context_length=16, d_model=8, n_layers=1, n_heads=2, d_ff=8)
)
TOKENIZER = ByteLevelBPE(dict(zip(byte_characters(), range(256), strict=True)), [])


def started(**settings) -> Continuation:
    return Continuation(MODEL, [65, 66], GenerationConfig(**settings), TOKENIZER)


def feed(text: Continuation, data: bytes) -> list[str]:
    pieces = []
    for token in data:
        assert text.reason is None, "a text that has ended is not continued"
        pieces.append(text.append(token))
    return pieces


@pytest.mark.parametrize(
    ("settings", "data", "text", "reason"),
    [
        ({"max_new_tokens": 3}, b"abc", "abc", "length"),
        ({"end_ids": (33,)}, b"ab!", "ab", "end"),
        ({"stop": ("bc",)}, b"abc", "a", "stop"),
        ({"stop": ("bc",), "end_ids": (33,)}, b"ab!", "ab", "end"),
        ({"stop": ("bc",), "max_new_tokens": 2}, b"ab", "ab", "length"),
        ({"max_new_tokens": 1}, "é".encode()[:1], "�", "length"),
        ({"max_new_tokens": 99}, b"x" * 15, "x" * 15, "length"),  # 16 - 2 read, and one more
    ],
)
def test_how_texts_end(settings, data, text, reason):
    written = started(**settings)
    pieces = feed(written, data)
    result = written.result()
    assert (result.text, result.reason, result.tokens) == (text, reason, list(data))
    assert "".join(pieces) == text
    assert written.tokens == [65, 66, *data]


def test_each_text_of_a_batch_is_chosen_by_its_own_settings():
    logits = torch.randn(3, 256, generator=torch.Generator().manual_seed(0))
    samplings = [SamplingConfig(temperature=0.0), SamplingConfig(seed=1), SamplingConfig(seed=2)]

    def texts():
        return [started(sampling=sampling) for sampling in samplings]

    together = choose(logits, texts())
    alone = [choose(row[None], [text])[0] for row, text in zip(logits, texts(), strict=True)]
    assert together == alone and together[0] == int(logits[0].argmax())


def test_without_a_tokenizer_there_is_no_text():
    text = Continuation(MODEL, [1], GenerationConfig(max_new_tokens=1))
    assert text.append(65) == "" and text.result().text is None
