"""Models whose weights are all drawn, so that every part of them counts."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder


def lively(config: DecoderConfig, seed: int = 0) -> Decoder:
    """A model that is far from its first, nearly constant, state."""
    model, generator = Decoder(config), torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        mean = float(name.endswith("norm.weight"))
        nn.init.normal_(weight, mean=mean, std=0.3, generator=generator)
    return model.eval()


@pytest.fixture(scope="session")
def make_lively() -> Callable[..., Decoder]:
    return lively
