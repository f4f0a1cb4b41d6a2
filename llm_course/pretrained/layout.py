"""What a Hugging Face architecture is, for the conversion: four functions and a name.

Leaves out the architectures themselves: each is a module of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.model.encoder_decoder import EncoderDecoder

Settings = Mapping[str, Any]
"""The content of a ``config.json``."""

SUPPORTED = (
    "LlamaForCausalLM or MistralForCausalLM (stretched RoPE: long_context.checkpoints), "
    "GPT2LMHeadModel, "
    "BloomForCausalLM, T5ForConditionalGeneration or BartForConditionalGeneration, "
    "as config.json and safetensors"
)

Config = DecoderConfig | EncoderDecoderConfig
"""The course's config of either kind; a layout knows its own."""


@dataclass(frozen=True)
class Layout:
    """One architecture in both directions.

    Args:
        architecture: the name of Transformers' class, as ``config.json`` has it.
        fits: whether a model of this kind has this architecture.
        read_config: ``config.json`` to the course's config; the text opens its messages.
        write_config: the course's config to ``config.json``.
        to_course: its tensors to the course's names and shapes; the text opens its messages.
        to_huggingface: the way back.
        model: the class of the course's model.
    """

    architecture: str
    fits: Callable[[Any], bool]
    read_config: Callable[[Settings, str], Config]
    write_config: Callable[[Any], dict[str, Any]]
    to_course: Callable[[Mapping[str, Tensor], Any, str], dict[str, Tensor]]
    to_huggingface: Callable[[Mapping[str, Tensor], Any], dict[str, Tensor]]
    model: type[Decoder] | type[EncoderDecoder] = Decoder


def setting(settings: Settings, key: str, source: str) -> Any:
    """A setting that must be there.

    Raises:
        CourseError: it is not.
    """
    if key not in settings:
        raise CourseError(
            f"{source}: expected the setting {key}, got none. Fix: get the model's own config.json"
        )
    return settings[key]


def require(settings: Settings, source: str, **expected: Any) -> None:
    """Check settings that may have one value only; absent, they have it.

    Raises:
        CourseError: one has another value.

    >>> require({"hidden_act": "relu"}, "config.json", hidden_act="silu")
    Traceback (most recent call last):
    ...
    llm_course.errors.CourseError: config.json: hidden_act: expected 'silu', got 'relu'. Fix: ...
    """
    for key, value in expected.items():
        found = settings.get(key, value)
        if found != value:
            raise unsupported(source, key, repr(value), repr(found))


def unsupported(source: str, what: str, expected: str, found: str) -> CourseError:
    """The error for a model of another kind; it names the kinds that are supported."""
    return CourseError(f"{source}: {what}: expected {expected}, got {found}. Fix: use {SUPPORTED}")
