"""One task for every generation of language models: where does a piece of text come from?

Pieces of a few words from an encyclopedia and from conversations, stripped of capitals and marks,
with very few labels. Unlabelled pieces are plenty; what a method makes of them is the point.
"""

import math
import re
from dataclasses import dataclass
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_course.data.corpora import load
from llm_course.evolution.masking import mask_tokens
from llm_course.evolution.neural_lm import NeuralLM
from llm_course.evolution.ngrams import add_k_probability, count_ngrams
from llm_course.model.attention import fused_attention
from llm_course.model.config import DecoderConfig
from llm_course.model.encoder import Encoder
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.bpe_training import train_bpe
from llm_course.training.descent import gradient_descent
from llm_course.training.loss import cross_entropy

KINDS = ("encyclopedia", "conversation")
PAD, MASK = 0, 1
LONGEST = 20
SPECIAL = ("<|pad|>", "<|mask|>")


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Pieces of text and where they come from.

    Args:
        unlabelled: of both kinds, to learn the language from.
        labelled: pieces with the number of their kind, from which few are drawn.
        test: others, with the number of their kind.
        tokenizer: learned on the unlabelled ones.
    """

    unlabelled: list[str]
    labelled: list[tuple[str, int]]
    test: list[tuple[str, int]]
    tokenizer: ByteLevelBPE

    def few(self, n: int, seed: int) -> list[tuple[str, int]]:
        """Labelled pieces, ``n`` of each kind, drawn by chance."""
        rng = Random(seed)
        return [
            pair
            for kind in range(len(KINDS))
            for pair in rng.sample([p for p in self.labelled if p[1] == kind], n)
        ]

    def ids(self, texts: list[str]) -> Tensor:
        """Token ids, the first ``LONGEST`` of a piece; shorter pieces are filled up with ``PAD``.

        Shapes:
            returns ``b t``.
        """
        rows = [torch.tensor(self.tokenizer.encode(text)[:LONGEST]) for text in texts]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)


def cut(text: str, n_words: int) -> list[str]:
    """The words of a text in pieces, in small letters and without marks.

    >>> cut("A: Hello, world! Is it 5 o'clock?", 3)
    ['hello world is']
    """
    text = re.sub(r"\b[AB]: ", " ", text)
    words = re.findall(r"[a-z]+", text.lower().replace("'", ""))
    last = len(words) - n_words + 1
    return [" ".join(words[i : i + n_words]) for i in range(0, last, n_words)]


def pieces(n_unlabelled: int = 4000, n_test: int = 100, n_words: int = 7, seed: int = 0) -> Pieces:
    """Pieces of both kinds; those of one document are of one part only.

    Args:
        n_unlabelled: how many to learn the language from.
        n_test: how many of each kind to test on.
        n_words: words of a piece.
        seed: of their order.
    """
    rng = Random(seed)
    unlabelled: list[str] = []
    labelled: list[tuple[str, int]] = []
    test: list[tuple[str, int]] = []
    for kind, corpus in enumerate(("wiki_en", "chitchat")):
        documents = [document.text for document in load(corpus, limit=3000)]
        found = [parts for text in documents if (parts := cut(text, n_words))]
        held_out = [rng.choice(parts) for parts in found[: 3 * n_test]]
        test += [(piece, kind) for piece in held_out[:n_test]]
        labelled += [(piece, kind) for piece in held_out[n_test:]]
        rest = [piece for parts in found[3 * n_test :] for piece in parts]
        unlabelled += rng.sample(rest, n_unlabelled // len(KINDS))
    rng.shuffle(unlabelled)
    tokenizer = train_bpe(unlabelled, 800, special_tokens=SPECIAL)
    return Pieces(unlabelled=unlabelled, labelled=labelled, test=test, tokenizer=tokenizer)


def counted_kinds(few: list[tuple[str, int]], found: Pieces, k: float = 0.5) -> list[int]:
    """The kind of each test piece by counting: that under which its tokens are likelier.

    ``P(tokens | kind)`` of a unigram model with ``k`` added, made of the few labelled pieces.
    """
    encode, vocab_size = found.tokenizer.encode, len(found.tokenizer)
    counts = [
        count_ngrams([encode(text) for text, own in few if own == kind], 1, end_id=vocab_size)
        for kind in range(len(KINDS))
    ]

    def score(kind: int, text: str) -> float:
        chances = (
            add_k_probability(counts[kind], (), token, vocab_size + 1, k) for token in encode(text)
        )
        return sum(math.log(chance) for chance in chances)

    return [max(range(len(KINDS)), key=lambda kind: score(kind, text)) for text, _ in found.test]


def word_vectors(found: Pieces, seed: int, d_model: int = 64, n_epochs: int = 2) -> Tensor:
    """Vectors of all tokens, learned by predicting each from the three before it.

    Shapes:
        returns ``v d``.
    """
    generator = torch.Generator().manual_seed(seed)
    tokens = found.ids(found.unlabelled)
    windows = F.pad(tokens, (3, 0), value=PAD).unfold(1, 4, 1).flatten(0, 1)
    windows = windows[windows[:, -1] != PAD]
    model = NeuralLM(len(found.tokenizer), 4, d_model, 2 * d_model, generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(windows), generator=generator).split(512):
            loss = F.cross_entropy(model(windows[rows, :-1]), windows[rows, -1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.embedding.detach()


def vector_kinds(
    vectors: Tensor, few: list[tuple[str, int]], found: Pieces, n_steps: int = 300
) -> list[int]:
    """The kind of each test piece by a linear layer on the mean of its tokens' vectors."""
    vectors = (vectors - vectors.mean(dim=0)) / vectors.std(dim=0)

    def means(texts: list[str]) -> Tensor:
        tokens = found.ids(texts)
        real = (tokens != PAD).unsqueeze(-1)
        return (vectors[tokens] * real).sum(dim=1) / real.sum(dim=1)

    x, labels = means([text for text, _ in few]), torch.tensor([kind for _, kind in few])
    weight, _ = gradient_descent(
        lambda w: F.cross_entropy(x @ w, labels) + 0.01 * w.square().sum(),
        torch.zeros(x.shape[1], len(KINDS)),
        learning_rate=0.5,
        n_steps=n_steps,
    )
    return (means([text for text, _ in found.test]) @ weight).argmax(dim=-1).tolist()


class MaskedLM(nn.Module):
    """An encoder that fills gaps, and can learn to tell kinds of text by a layer on its mean.

    Args:
        vocab_size: how many tokens there are.
        seed: of the weights.
        d_model: features of a token.
        n_layers: blocks.

    Shapes:
        tokens ``b t``; returns logits of what stands at every place, ``b t v``.
    """

    def __init__(self, vocab_size: int, seed: int, d_model: int = 64, n_layers: int = 2) -> None:
        super().__init__()
        config = DecoderConfig(
            vocab_size=vocab_size, context_length=64, d_model=d_model, n_layers=n_layers,
            n_heads=4, d_ff=8 * d_model // 3,
        )  # fmt: skip
        generator = torch.Generator().manual_seed(seed)
        self.encoder = Encoder(config, fused_attention, generator)
        self.kind = nn.Linear(d_model, len(KINDS))
        nn.init.normal_(self.kind.weight, std=0.02, generator=generator)
        nn.init.zeros_(self.kind.bias)

    def features(self, tokens: Tensor) -> Tensor:
        """The vector of each token, which sees all that are no padding."""
        return self.encoder(tokens, mask=(tokens != PAD)[:, None, None, :])

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        return self.features(tokens) @ self.encoder.embedding.weight.T

    def kinds(self, tokens: Tensor) -> Tensor:
        """Logits of the kind of each text, ``b k``, from the mean of its tokens' vectors."""
        real = (tokens != PAD).unsqueeze(-1)
        mean = (self.features(tokens) * real).sum(dim=1) / real.sum(dim=1)
        return self.kind(mean)


def pretrain(
    model: MaskedLM, tokens: Tensor, n_epochs: int, seed: int, batch: int = 64, rate: float = 3e-3
) -> list[float]:
    """Learn to fill gaps; the loss of every step, in nats a hidden token."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    losses = []
    for _ in range(n_epochs):
        for rows in torch.randperm(len(tokens), generator=generator).split(batch):
            inputs, targets = mask_tokens(
                tokens[rows], MASK, int(tokens.max()) + 1, generator, special_ids=(PAD, MASK)
            )
            loss = cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def fine_tune(
    model: MaskedLM, tokens: Tensor, labels: Tensor, n_steps: int = 40, rate: float = 1e-3
) -> MaskedLM:
    """Teach a model the kinds from few labels, all weights moving; it is changed and returned."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    for _ in range(n_steps):
        loss = F.cross_entropy(model.kinds(tokens), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model
