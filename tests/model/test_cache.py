"""A decoder asks of a cache what ``CacheStep`` says and no more: here the simplest one there is."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder

CONFIG = DecoderConfig(
    vocab_size=30, context_length=24, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24
)
TOKENS = torch.randint(30, (2, 9), generator=torch.Generator().manual_seed(0))


@dataclass
class Concatenated:
    """A cache that is copied at every step."""

    positions: Tensor
    n_keys: int
    kept: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def update(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if layer in self.kept:
            key, value = (
                torch.cat([old, new], dim=2)
                for old, new in zip(self.kept[layer], (key, value), strict=True)
            )
        self.kept[layer] = key, value
        return key, value


@torch.no_grad()
def test_what_a_cache_returns_is_what_attention_reads():
    model, kept, pieces, start = Decoder(CONFIG).double(), {}, [], 0
    for part in TOKENS.split([4, 1, 1, 3], dim=1):
        end = start + part.shape[1]
        pieces.append(model(part, cache=Concatenated(torch.arange(start, end), end, kept)))
        start = end
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(TOKENS), atol=1e-12, rtol=0)


@torch.no_grad()
def test_only_the_new_tokens_are_given_and_every_layer_is_kept():
    model, kept = Decoder(CONFIG), {}
    model(TOKENS, cache=Concatenated(torch.arange(9), 9, kept))
    assert set(kept) == {0, 1} and kept[0][0].shape == (2, 2, 9, 4)


def test_positions_beside_a_cache_are_refused():
    step = Concatenated(torch.arange(9), 9)
    with pytest.raises(ValueError, match="positions: expected none beside a cache"):
        Decoder(CONFIG)(TOKENS, torch.arange(9), cache=step)
