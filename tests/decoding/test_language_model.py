"""Anything with sizes, features and an output matrix can be decoded, such as a table."""

from types import SimpleNamespace

import pytest
import torch

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.decoding.language_model import check_prompt, last_logits, most_new_tokens, new_cache
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder

CONFIG = DecoderConfig(
    vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=3
)


class Table:
    """The next token depends on the last one alone: row ``i`` has the logits after token ``i``."""

    config = CONFIG

    def __init__(self, table: torch.Tensor) -> None:
        self.output_weight = table.T.contiguous()

    def features(self, tokens, *, cache):
        return torch.nn.functional.one_hot(tokens, 5).float()


def test_a_table_of_successors_is_followed():
    successors = [2, 0, 4, 1, 3]
    model = Table(torch.eye(5)[successors])
    [written] = generate(model, [[1]], GenerationConfig(max_new_tokens=6))
    assert written.tokens == [0, 2, 4, 3, 1, 0]


@torch.no_grad()
def test_last_logits_are_those_of_each_rows_last_token():
    model = Decoder(CONFIG)
    tokens = torch.tensor([[1, 2, 3], [4, 0, 0]])
    step = new_cache(model, 2, 3).extend(3, [3, 1])
    got, whole = last_logits(model, tokens, step, last=[2, 0]), model(tokens)
    torch.testing.assert_close(got, torch.stack([whole[0, 2], whole[1, 0]]))


def test_the_cache_has_the_models_sizes_and_precision():
    cache = new_cache(Decoder(CONFIG).bfloat16(), n_rows=3, n_places=7)
    assert len(cache.keys) == 1 and cache.keys[0].shape == (3, 1, 7, 2)
    assert cache.values[0].dtype == torch.bfloat16


def test_what_fits_into_the_context():
    model = SimpleNamespace(config=CONFIG)
    check_prompt(model, [0] * 8)
    assert most_new_tokens(model, [0] * 8) == 1
    for prompt in ([], [0] * 9, [5], [-1]):
        with pytest.raises(ValueError, match="prompt: expected"):
            check_prompt(model, prompt)
