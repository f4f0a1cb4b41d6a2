"""Four generations of language models on one corpus: what each makes of how much text.

One tokenizer, one held-out text, one measure: bits per byte. Counted models are made anew for every
amount; neural ones read the text once and are measured on the way.
``python -m llm_course.recipes.evolution_study`` records the longer curves.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_course.data.corpora import load
from llm_course.evolution.evaluation import text_scores
from llm_course.evolution.kneser_ney import KneserNey
from llm_course.evolution.lstm import LSTMLM
from llm_course.evolution.neural_lm import NeuralLM
from llm_course.evolution.ngrams import add_k_probability, count_ngrams, histories
from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.resources.recorded import record
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.bpe_training import train_bpe

END = 0
"""The token that ends a text, and stands before it where a model needs something to begin with."""

NEURAL = {"neural": 3e-3, "lstm": 5e-3, "transformer": 3e-3}
"""The neural models and their learning rates."""

MARKS = (50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000)
"""Tokens after which the recorded curves have a point."""

ORDER, WIDTH, LENGTH, BATCH = 3, 128, 32, 16

Scores = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Texts as token ids.

    Args:
        tokenizer: learned on a part of the texts.
        texts: to learn from.
        held_out: to measure on.
        held_out_bytes: how long those are in UTF-8.
    """

    tokenizer: ByteLevelBPE
    texts: list[list[int]]
    held_out: list[list[int]]
    held_out_bytes: int

    def first(self, n_tokens: int) -> list[list[int]]:
        """The whole texts within the first ``n_tokens``, each with its end counted."""
        ends = accumulate(len(text) + 1 for text in self.texts)
        return [text for text, end in zip(self.texts, ends, strict=True) if end <= n_tokens]


def encyclopedia(n_tokens: int, vocab_size: int = 1024, n_held_out: int = 24) -> Corpus:
    """English articles, as many as have ``n_tokens``; the openings of others are held out.

    Raises:
        ValueError: there are not so many.
    """
    articles = [document.text for document in load("wiki_en")]
    held_out = [text[:300] for text in articles[-n_held_out:]]
    tokenizer = train_bpe(articles[:400], vocab_size, special_tokens=["<|end|>"])
    texts: list[list[int]] = []
    missing = n_tokens
    for text in articles[:-n_held_out]:
        if missing <= 0:
            break
        texts.append(tokenizer.encode(text))
        missing -= len(texts[-1]) + 1
    if missing > 0:
        raise ValueError(f"n_tokens: expected at most {n_tokens - missing}, got {n_tokens}.")
    return Corpus(
        tokenizer=tokenizer,
        texts=texts,
        held_out=[tokenizer.encode(text) for text in held_out],
        held_out_bytes=sum(len(text.encode()) for text in held_out),
    )


def counted_bits(
    corpus: Corpus, n_tokens: int, k: float | None = None, order: int = ORDER
) -> float:
    """Bits per byte of an n-gram model: Kneser-Ney's, or add-k if ``k`` is given."""
    texts, vocab_size = corpus.first(n_tokens), len(corpus.tokenizer)
    pairs = [pair for text in corpus.held_out for pair in histories(text, order, END)]
    if k is None:
        model = KneserNey(texts, order, vocab_size, END)
        chances = [model.probability(history, token) for history, token in pairs]
    else:
        counts = count_ngrams(texts, order, END)
        chances = [add_k_probability(counts, *pair, vocab_size, k) for pair in pairs]
    return text_scores([math.log(p) for p in chances], corpus.held_out_bytes)[1]


def neural_model(name: str, vocab_size: int, seed: int) -> tuple[nn.Module, Scores]:
    """One of the neural models, and its scores of every token from those before it in a row.

    Shapes:
        the scores take tokens ``b t``, of which the first is the beginning; return ``b t v``.

    Raises:
        ValueError: there is no such model.
    """
    generator = torch.Generator().manual_seed(seed)
    if name == "neural":
        window = NeuralLM(vocab_size, ORDER + 1, WIDTH // 2, WIDTH, generator=generator)

        def from_windows(tokens: Tensor) -> Tensor:
            padded = F.pad(tokens, (ORDER - 1, 0), value=END).unfold(1, ORDER, 1)
            return window(padded.flatten(0, 1)).unflatten(0, tokens.shape)

        return window, from_windows
    if name == "lstm":
        recurrent = LSTMLM(vocab_size, WIDTH, generator=generator)
        return recurrent, lambda tokens: recurrent(tokens)[0]
    if name == "transformer":
        config = DecoderConfig(
            vocab_size=vocab_size, context_length=512, d_model=WIDTH, n_layers=2, n_heads=4,
            d_ff=344,
        )  # fmt: skip
        decoder = Decoder(config, fused_attention, generator)
        return decoder, decoder
    raise ValueError(f"name: expected one of {', '.join(NEURAL)}, got {name!r}.")


@torch.no_grad()
def neural_bits(scores: Scores, corpus: Corpus) -> float:
    """Bits per byte of a neural model on the held-out texts, each with its own beginning."""
    found: list[float] = []
    for text in corpus.held_out:
        wanted = torch.tensor([*text, END])
        logits = scores(torch.tensor([[END, *text]]))[0]
        found += logits.log_softmax(-1).gather(1, wanted[:, None]).flatten().tolist()
    return text_scores(found, corpus.held_out_bytes)[1]


def neural_curve(
    name: str, corpus: Corpus, marks: Sequence[int], seed: int = 0
) -> Iterator[tuple[int, float]]:
    """Train a model on the text, read once, and measure it after each of some amounts.

    Args:
        name: of the model.
        corpus: what is read.
        marks: after how many tokens, in growing order.
        seed: of the weights.

    Raises:
        ValueError: the corpus has fewer tokens than the last mark.
    """
    stream = torch.tensor([token for text in corpus.texts for token in [*text, END]])
    if len(stream) < marks[-1]:
        raise ValueError(f"marks: expected at most {len(stream)} tokens, got {marks[-1]}.")
    model, scores = neural_model(name, len(corpus.tokenizer), seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=NEURAL[name])
    rows = stream[: len(stream) // LENGTH * LENGTH].unflatten(0, (-1, LENGTH))
    open_marks, seen = list(marks), 0
    for part in rows.split(BATCH):
        logits = scores(F.pad(part[:, :-1], (1, 0), value=END))
        optimizer.zero_grad()
        F.cross_entropy(logits.flatten(0, 1), part.flatten()).backward()
        optimizer.step()
        seen += part.numel()
        while open_marks and seen >= open_marks[0] - LENGTH * BATCH:
            yield open_marks.pop(0), neural_bits(scores, corpus)
        if not open_marks:
            return


def curve_rows(marks: Sequence[int], k: float = 0.1, seed: int = 0) -> list[dict[str, float | str]]:
    """All models at all amounts of text: one row of the table each."""
    corpus = encyclopedia(marks[-1])
    curves = {
        "add-k": [(mark, counted_bits(corpus, mark, k)) for mark in marks],
        "kneser-ney": [(mark, counted_bits(corpus, mark)) for mark in marks],
        **{name: list(neural_curve(name, corpus, marks, seed)) for name in NEURAL},
    }
    return [
        {"model": name, "n_tokens": mark, "bits_per_byte": bits}
        for name, points in curves.items()
        for mark, bits in points
    ]


def main() -> None:
    """Record the curves."""
    config = {"order": ORDER, "width": WIDTH, "length": LENGTH, "batch": BATCH, "k": 0.1}
    record(
        "evolution_curves",
        curve_rows(MARKS),
        command="OMP_NUM_THREADS=1 python -m llm_course.recipes.evolution_study",
        config={"corpus": "wiki_en", "marks": list(MARKS), "rates": NEURAL, **config},
        seeds=[0],
    )


if __name__ == "__main__":
    main()
