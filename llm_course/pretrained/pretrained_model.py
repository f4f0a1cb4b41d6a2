"""A model with what is needed to talk to it: its tokenizer and its chat template."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from llm_course.errors import CourseError
from llm_course.model.attention import Attend, scaled_dot_product_attention
from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.pretrained.chat_template import Message, render_chat
from llm_course.tokenizers.bpe import ByteLevelBPE


@dataclass(frozen=True, kw_only=True)
class PretrainedModel:
    """What a published model consists of.

    Args:
        name: what its publisher calls it.
        licence: the licence of the weights, as its publisher states it.
        model: the weights, in the course's own modules.
        tokenizer: its vocabulary and rules.
        chat_template: how a conversation becomes one text, in Jinja.
        end_id: the token that ends a text or a turn.
    """

    name: str
    licence: str
    model: Decoder
    tokenizer: ByteLevelBPE
    chat_template: str
    end_id: int

    def encode_chat(self, messages: Sequence[Message]) -> list[int]:
        """The ids of a conversation, up to where the assistant's answer begins.

        Special tokens that a message spells out are recognised, as in every published chat
        pipeline: do not pass on a stranger's text unseen.

        Raises:
            ValueError: a message lacks its role or content.
            CourseError: the template refuses the conversation.
        """
        text = render_chat(self.chat_template, messages, add_generation_prompt=True)
        return self.tokenizer.encode(text, allow_special=True)


def assemble(
    config: DecoderConfig | EncoderDecoderConfig,
    weights: Mapping[str, Tensor],
    source: str,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    kind: type[Decoder] | type[EncoderDecoder] = Decoder,
    attend: Attend = scaled_dot_product_attention,
) -> Decoder | EncoderDecoder:
    """A model with given weights, ready for inference.

    It is built without numbers (on PyTorch's ``meta`` device) and takes the given tensors as they
    are, so that no weight is drawn, copied or held twice.

    Args:
        config: the sizes and choices.
        weights: every tensor of the model, by the course's names.
        source: where they come from; it opens the messages.
        device: where the model goes.
        dtype: what the weights become; as given if None.
        kind: the class of the model.
        attend: what computes attention from the heads, for all layers.

    Raises:
        CourseError: a tensor is missing, unknown or of another shape.

    >>> config = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> model = assemble(config, Decoder(config).state_dict(), "memory")
    >>> model(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 5])
    """
    with torch.device("meta"), NoInitialWeights():
        model = kind(config, attend)
    for problem in _misfits(model.state_dict(), weights):
        raise CourseError(
            f"{source}: {problem}. Fix: get the model again, its weights do not fit its config"
        )
    model.load_state_dict(dict(weights), assign=True)
    return model.to(device=device, dtype=dtype).eval()


class NoInitialWeights(TorchFunctionMode):
    """Modules made inside draw no weights.

    On the meta device there is nothing to draw, yet PyTorch's ``normal_`` imports its compiler
    there, which takes longer than reading the whole model.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: tuple = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return function(*args, **kwargs)


def _misfits(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Iterator[str]:
    for name, tensor in expected.items():
        shape = tuple(tensor.shape)
        if name not in found:
            yield f"expected a tensor {name} of shape {shape}, got none"
        elif tuple(found[name].shape) != shape:
            yield f"{name}: expected shape {shape}, got {tuple(found[name].shape)}"
    for name in found:
        if name not in expected:
            yield f"expected no tensor {name}, got one"
