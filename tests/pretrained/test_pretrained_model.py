"""Putting weights into a decoder, and a conversation into ids."""

import subprocess
import sys

import pytest
import torch

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.pretrained_model import PretrainedModel, assemble
from llm_course.tokenizers.bpe import ByteLevelBPE

CONFIG = DecoderConfig(vocab_size=5, context_length=8, d_model=4, n_layers=2, n_heads=2, d_ff=6)
TOKENS = torch.tensor([[1, 2, 3]])


def test_the_decoder_is_the_one_the_weights_came_from() -> None:
    model = Decoder(CONFIG, generator=torch.Generator().manual_seed(3))
    again = assemble(CONFIG, model.state_dict(), "memory")
    assert again(TOKENS).equal(model(TOKENS))
    assert not again.training and again.embedding.weight.requires_grad


def test_tensors_are_taken_not_copied() -> None:
    weights = Decoder(CONFIG).state_dict()
    model = assemble(CONFIG, weights, "memory")
    assert model.embedding.weight.data_ptr() == weights["embedding.weight"].data_ptr()


def test_dtype_is_the_one_asked_for() -> None:
    model = assemble(CONFIG, Decoder(CONFIG).state_dict(), "memory", dtype=torch.float64)
    assert model(TOKENS).dtype == torch.float64


def test_assembling_does_not_import_the_compiler() -> None:
    code = (
        "import sys; from llm_course.model.config import DecoderConfig as C;"
        "from llm_course.model.decoder import Decoder as D;"
        "from llm_course.pretrained.pretrained_model import assemble;"
        "c = C(vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=6);"
        "assemble(c, D(c).state_dict(), 'memory'); print('torch._dynamo' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed == "False\n", "a second and more on every load"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"final_norm.weight": None},
            "expected a tensor final_norm.weight of shape (4,), got none",
        ),
        ({"final_norm.weight": torch.ones(5)}, "final_norm.weight: expected shape (4,), got (5,)"),
        ({"output.weight": torch.ones(5, 4)}, "expected no tensor output.weight, got one"),
    ],
)
def test_weights_that_do_not_fit_are_named(change: dict, message: str) -> None:
    weights = {
        name: tensor
        for name, tensor in (Decoder(CONFIG).state_dict() | change).items()
        if tensor is not None
    }
    with pytest.raises(CourseError) as caught:
        assemble(CONFIG, weights, "a.gguf")
    assert str(caught.value).startswith(f"a.gguf: {message}")
    assert ". Fix: " in str(caught.value)


def test_a_conversation_becomes_ids() -> None:
    vocabulary = {"a": 0, "b": 1, "ab": 2, "<end>": 3, ">": 4}
    chat = PretrainedModel(
        name="tiny",
        licence="MIT",
        model=Decoder(CONFIG),
        tokenizer=ByteLevelBPE(vocabulary, [("a", "b")], special_tokens=["<end>"]),
        chat_template=(
            "{% for m in messages %}{{ m.content }}<end>{% endfor %}"
            "{% if add_generation_prompt %}>{% endif %}"
        ),
        end_id=3,
    )
    assert chat.encode_chat([{"role": "user", "content": "aba"}]) == [2, 0, 3, 4]
