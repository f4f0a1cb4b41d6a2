"""What the tests of several tokenizers share: varied strings, and Hugging Face's trainer."""

import json
import random

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from llm_course.data.corpora import load
from tests.tokenizers.bert_references import is_older

WORDS = """
the quick brown foxes aren't jumping; she'll say they've won I'm we'd it's naïve café Straße
Привет мир Γειά σου שלום עולם مرحبا بالعالم नमस्ते दुनिया สวัสดีชาวโลก 你好世界 こんにちは 안녕하세요
თბილისი Հայաստան አማርኛ Việt Ngữ ĳsselmeer ﬁne Ǆ 😀 🇫🇷 👍🏽 ❤️ 𝔘𝔫𝔦 𐍈 CamelCaseIDs __init__
0 7 42 3.14159 1,000,000 ٣٤٥ ² ½ Ⅷ १२ 2024-01-31 0xFF $x_1^2$ <|im_start|> <|im_end|> <|endoftext|>
<repo_name> <reponame> <|im_ |> ... ?! — “quoted” 's 'S ' '' _ # @ %20 https://example.org/a?c=d&e
"""
PIECES = [
    *WORDS.split(),
    *["👩\u200d👩\u200d👧", "e\u0301", "a\u0300\u0316", "\ufeff", "\u200b", "\u202e", "\\n"],
    *["def f(x):\n    return x**2\n", "\tif (a != b) { c[i]++; }", "<div class='x'>", "//#!"],
    *[
        " ",
        "  ",
        "     ",
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        "\t\t ",
        "\u00a0",
        "\u3000",
        "\u2003",
        "\x85",
    ],
    *["\x00", "\x01", "\x04", "\x06", "\x0b", "\x13", "\x1c", "\x1d", "\x7f", "\x9f", "\U0010ffff"],
    *["\x85", "a" * 50, "ab" * 40, "=" * 70, "x" * 3 + "y"],
]


def draw_strings(n: int) -> list[str]:
    """Distinct strings: random joins of pieces, with and without spaces, and of code points."""
    draw = random.Random(7)
    blocks = [(0x20, 0x7F), (0xA0, 0x370), (0x370, 0x530), (0x900, 0xDFF), (0x4E00, 0x9FA5)]
    strings = dict.fromkeys(["", *PIECES])  # in the order in which they were drawn
    while len(strings) < n:
        if draw.random() < 0.25:
            low, high = draw.choice(blocks)
            strings["".join(chr(draw.randrange(low, high)) for _ in range(20))] = None
        else:
            pieces = draw.choices(PIECES, k=draw.randint(1, 12))
            strings[draw.choice(["", " ", "  "]).join(pieces)] = None
    return list(strings)


@pytest.fixture(scope="session")
def varied_strings() -> list[str]:
    """10,000 different strings: emoji, marks, right-to-left, controls, runs of spaces, code."""
    return draw_strings(10_000)


@pytest.fixture(scope="session")
def bert_strings(varied_strings: list[str]) -> list[str]:
    """The varied strings without characters that are newer than Hugging Face's BERT tables.

    Which these are is a matter of Unicode's age alone: what our words make of a character plays
    no part. Some newer ones have a test of their own in test_bert_words.
    """
    characters = {c for text in varied_strings for c in text}
    newer = {ord(c): None for c in characters if not is_older(c)}
    assert len(newer) < len(characters) / 15
    return [text.translate(newer) for text in varied_strings]


def corpus_texts(name: str, n_bytes: int) -> list[str]:
    """The first documents of a corpus, so many bytes of them."""
    texts: list[str] = []
    for document in load(name, fallback=True):
        if n_bytes <= 0:
            break
        texts.append(document.text)
        n_bytes -= len(document.text.encode())
    return texts


@pytest.fixture(scope="session")
def corpus():
    return corpus_texts


@pytest.fixture(scope="session")
def reference_bpe():
    """Train Hugging Face's BPE; its merges and its vocabulary."""

    def train(
        texts: list[str], vocab_size: int, pre_tokenizer: object = None, special: tuple = ()
    ) -> tuple[list[tuple[str, str]], dict[str, int]]:
        tokenizer = Tokenizer(models.BPE())
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not pre_tokenizer)
        steps = [pre_tokenizer, byte_level] if pre_tokenizer else [byte_level]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=list(special),
        )
        tokenizer.train_from_iterator(texts, trainer)
        merges = json.loads(tokenizer.to_str())["model"]["merges"]
        return [tuple(merge) for merge in merges], tokenizer.get_vocab()

    return train
