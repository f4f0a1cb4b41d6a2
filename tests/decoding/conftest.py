"""Two models with the same weights, ours and Transformers'; and the chi-square test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.huggingface import save_huggingface
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.pretrained.smollm2 import load_smollm2, smollm2_file

ALPHA = 1e-4
SIZES: dict[str, Any] = {
    "vocab_size": 40, "context_length": 64, "d_model": 32, "n_layers": 3, "n_heads": 4, "d_ff": 48,
}  # fmt: skip
CONFIGS = {
    "llama": DecoderConfig(**SIZES, n_kv_heads=2),
    "gpt2": DecoderConfig(
        **SIZES, norm="layer_norm", feed_forward="gelu_tanh", position="learned", bias=True
    ),
}


def lively(config: DecoderConfig, seed: int = 0) -> Decoder:
    """A model whose weights are all drawn, large enough that its texts are not one token again."""
    model, generator = Decoder(config), torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        mean = float(name.endswith("norm.weight"))
        nn.init.normal_(weight, mean=mean, std=0.3, generator=generator)
    return model.eval()


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Decoder, Any]]:
    """Makes our model and Transformers' with the same weights, of a kind of ``CONFIGS``."""

    def make(kind: str, seed: int = 0) -> tuple[Decoder, PreTrainedModel]:
        folder: Path = tmp_path_factory.mktemp("twin")
        ours = lively(CONFIGS[kind], seed)
        save_huggingface(ours, folder)
        return ours, AutoModelForCausalLM.from_pretrained(folder).eval()

    return make


@pytest.fixture(scope="session")
def make_lively() -> Callable[..., Decoder]:
    return lively


@pytest.fixture(scope="session")
def smollm2() -> PretrainedModel:
    return load_smollm2()


@pytest.fixture(scope="session")
def transformers_smollm2() -> PreTrainedModel:
    file = smollm2_file()
    return AutoModelForCausalLM.from_pretrained(
        str(file.parent), gguf_file=file.name, dtype=torch.float32
    ).eval()


def follows(counts: torch.Tensor, probabilities: torch.Tensor) -> bool:
    """Whether counts are compatible with probabilities; cells below 5 expected are pooled."""
    expected = (probabilities.double() / probabilities.double().sum()) * counts.sum()
    if counts[expected == 0].any():
        return False  # what cannot happen has happened
    sparse = expected < 5
    pooled = [torch.cat([x[~sparse], x[sparse].sum()[None]]) for x in (counts.double(), expected)]
    if pooled[1][-1] < 5:  # the pool is sparse itself: it joins the smallest cell
        smallest = pooled[1][:-1].argmin()
        for x in pooled:
            x[smallest] += x[-1]
        pooled = [x[:-1] for x in pooled]
    if len(pooled[0]) < 2:
        raise ValueError("expected at least two cells, or the test cannot fail")
    return bool(chisquare(pooled[0].numpy(), pooled[1].numpy()).pvalue > ALPHA)


@pytest.fixture
def follows_distribution() -> Callable[[torch.Tensor, torch.Tensor], bool]:
    return follows
