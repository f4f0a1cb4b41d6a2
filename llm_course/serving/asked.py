"""From the fields of a request to the texts that the engine is to write.

What OpenAI's interface leaves to the server is decided here: texts are drawn with ``seed + i`` for
text ``i``, as by ``generate``; without a seed, with one that nobody knows. Of the course's own
options ``top_k``, ``min_p``, ``typical_p`` and ``repetition_penalty`` come under these names.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.sampling import LEAST_TEMPERATURE, SamplingConfig
from llm_course.errors import CourseError
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.serving.api_errors import ApiError, invalid
from llm_course.serving.engine_thread import Text
from llm_course.serving.request_fields import RequestFields, checked_text, shown
from llm_course.serving.server_config import ServerConfig

"""Below it logits divided by it could overflow; 0 itself is greedy search."""

_CHARACTERS_A_TOKEN = 8  # twice what a token of English has
_MOST_STOPS, _LONGEST_STOP = 4, 256
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a text may ask for.

    Args:
        server: the limits of a request.
        places: tokens that all blocks of the engine hold together.
    """

    server: ServerConfig
    places: int


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for.

    Args:
        texts: what is to be written, and how.
        n_prompt_tokens: tokens of its prompts, each counted once.
        stream: whether the answer comes piece by piece.
        include_usage: whether a stream ends with the number of tokens.
    """

    texts: list[Text]
    n_prompt_tokens: int
    stream: bool
    include_usage: bool


def read_chat(values: Any, pretrained: PretrainedModel, limits: Limits) -> Asked:
    """The texts of a request to ``/v1/chat/completions``.

    Raises:
        ApiError: a field is missing, unknown or out of its range.
    """
    fields = RequestFields(values)
    _check_model(fields, pretrained)
    prompt = _chat_prompt(fields, pretrained)
    most = limits.server.max_new_tokens
    asked_most = fields.integer("max_tokens", None, low=1, high=most)
    asked_most = fields.integer("max_completion_tokens", asked_most, low=1, high=most)
    fields.only(logprobs=False, top_logprobs=0, tools=[], response_format={"type": "text"})
    fields.only(tool_choice="none", parallel_tool_calls=True, modalities=["text"])
    return _texts(fields, [prompt], asked_most, most, pretrained, limits)


def read_completion(values: Any, pretrained: PretrainedModel, limits: Limits) -> Asked:
    """The texts of a request to ``/v1/completions``.

    Raises:
        ApiError: a field is missing, unknown or out of its range.
    """
    fields = RequestFields(values)
    _check_model(fields, pretrained)
    prompts = _prompts(fields.take("prompt"), pretrained)
    most = limits.server.max_new_tokens
    asked_most = fields.integer("max_tokens", None, low=1, high=most)
    fields.only(echo=False, suffix="", best_of=1)
    return _texts(fields, prompts, asked_most, 16, pretrained, limits)


def _check_model(fields: RequestFields, pretrained: PretrainedModel) -> None:
    name = fields.text("model")
    if name != pretrained.name:
        message = f"model: expected {pretrained.name!r}, got {shown(name)}. Fix: see /v1/models."
        raise ApiError(404, message, param="model", code="model_not_found")


def _texts(
    fields: RequestFields,
    prompts: list[list[int]],
    asked_most: int | None,
    default_most: int,
    pretrained: PretrainedModel,
    limits: Limits,
) -> Asked:
    """Every prompt ``n`` times, by the fields that both interfaces share."""
    n = fields.integer("n", 1, low=1, high=limits.server.max_texts)
    if n * len(prompts) > limits.server.max_texts:
        texts = f"{n * len(prompts)} (prompts times n)"
        raise invalid("n", f"expected at most {limits.server.max_texts} texts, got {texts}.")
    sampling, stop = _sampling(fields), _stop(fields)
    stream, options = fields.flag("stream"), RequestFields(fields.take("stream_options", {}))
    include_usage = options.flag("include_usage")
    options.refuse_others()
    fields.only(store=False, logit_bias={})
    for ignored in ("user", "safety_identifier", "metadata"):  # they change no text
        fields.take(ignored)
    fields.refuse_others()
    texts = []
    for i, prompt in enumerate(prompt for prompt in prompts for _ in range(n)):
        most = asked_most or max(1, min(default_most, limits.places - len(prompt) + 1))
        config = GenerationConfig(
            max_new_tokens=most,
            end_ids=(pretrained.end_id,),
            stop=stop,
            sampling=replace(sampling, seed=sampling.seed + i),
        )
        texts.append((prompt, config))
    n_prompt_tokens = sum(map(len, prompts))
    return Asked(
        texts=texts, n_prompt_tokens=n_prompt_tokens, stream=stream, include_usage=include_usage
    )


def _sampling(fields: RequestFields) -> SamplingConfig:
    temperature = fields.number("temperature", 1.0, low=0, high=2)
    if 0 < temperature < LEAST_TEMPERATURE:
        raise invalid(
            "temperature",
            f"expected 0 (greedy) or {LEAST_TEMPERATURE:g} to 2, got {temperature:g}.",
        )
    return SamplingConfig(
        temperature=temperature,
        top_k=fields.integer("top_k", 0, low=0, high=2**31),
        top_p=fields.number("top_p", 1.0, low=0, high=1, low_itself=False),
        min_p=fields.number("min_p", 0.0, low=0, high=1),
        typical_p=fields.number("typical_p", 1.0, low=0, high=1, low_itself=False),
        repetition_penalty=fields.number("repetition_penalty", 1.0, low=0.1, high=10),
        frequency_penalty=fields.number("frequency_penalty", 0.0, low=-2, high=2),
        presence_penalty=fields.number("presence_penalty", 0.0, low=-2, high=2),
        seed=fields.integer("seed", secrets.randbelow(2**31), low=0, high=2**62),
    )


def _stop(fields: RequestFields) -> tuple[str, ...]:
    given = fields.take("stop", [])
    stop = [given] if isinstance(given, str) else given
    if not isinstance(stop, list) or len(stop) > _MOST_STOPS:
        raise invalid("stop", f"expected a text or at most {_MOST_STOPS}, got {shown(given)}.")
    for text in stop:
        if not 1 <= len(checked_text("stop", text)) <= _LONGEST_STOP:
            raise invalid("stop", f"expected 1 to {_LONGEST_STOP} characters, got {len(text)}.")
    return tuple(stop)


def _prompts(given: Any, pretrained: PretrainedModel) -> list[list[int]]:
    """A text, several, the ids of one, or the ids of several."""
    prompts = given if isinstance(given, list) else [given]
    if prompts and all(type(token) is int for token in prompts):
        prompts = [prompts]
    read = []
    for prompt in prompts:
        if isinstance(prompt, list) and all(type(token) is int for token in prompt):
            read.append(prompt)
        else:
            read.append(_encoded(checked_text("prompt", prompt), pretrained))
    if not read:
        raise invalid("prompt", "expected at least one, got none.")
    for prompt in read:
        _check_length("prompt", prompt, pretrained)
    return read


def _check_characters(name: str, text: str, pretrained: PretrainedModel) -> None:
    """Refuse a text that is far too long before it is cut into tokens, which takes time."""
    most = _CHARACTERS_A_TOKEN * pretrained.model.config.context_length
    if len(text) > most:
        message = f"expected at most {most} characters, got {len(text)}."
        raise invalid(name, message, "context_length_exceeded")


def _encoded(text: str, pretrained: PretrainedModel) -> list[int]:
    _check_characters("prompt", text, pretrained)
    try:
        return pretrained.tokenizer.encode(text, allow_special=True)
    except ValueError as error:
        raise invalid("prompt", str(error)) from error


def _chat_prompt(fields: RequestFields, pretrained: PretrainedModel) -> list[int]:
    given = fields.take("messages")
    if not isinstance(given, list) or not given:
        raise invalid("messages", f"expected a list of messages, got {shown(given)}.")
    if not pretrained.chat_template:
        raise invalid("messages", "this model has no chat template. Fix: use /v1/completions.")
    messages = [_message(f"messages[{i}]", message) for i, message in enumerate(given)]
    together = "".join(message["content"] for message in messages)
    _check_characters("messages", together, pretrained)
    try:
        prompt = pretrained.encode_chat(messages)
    except (CourseError, ValueError) as error:
        raise invalid("messages", str(error)) from error
    _check_length("messages", prompt, pretrained)
    return prompt


def _message(place: str, given: Any) -> Mapping[str, str]:
    if not isinstance(given, dict):
        raise invalid(place, f"expected an object, got {shown(given)}.", "invalid_type")
    fields = RequestFields(given)
    role, content = fields.text("role"), fields.take("content")
    if role not in _ROLES:
        raise invalid(place, f"role: expected {', '.join(_ROLES)}, got {shown(role)}.")
    fields.take("name")
    fields.refuse_others()
    if isinstance(content, list):
        content = "".join(_part(place, part) for part in content)
    return {"role": _ROLES[role], "content": checked_text(f"{place}.content", content)}


def _part(place: str, given: Any) -> str:
    if not isinstance(given, dict) or given.get("type") != "text":
        raise invalid(place, "content: expected parts of type 'text', the model reads no other.")
    return checked_text(f"{place}.content", given.get("text"))


def _check_length(name: str, prompt: Sequence[int], pretrained: PretrainedModel) -> None:
    """Refuse a prompt that the model could not read, before anything waits for it."""
    sizes = pretrained.model.config
    if not 1 <= len(prompt) <= sizes.context_length:
        code = "context_length_exceeded" if prompt else "invalid_value"
        message = f"expected 1 to {sizes.context_length} tokens, got {len(prompt)}."
        raise invalid(name, message, code)
    if min(prompt) < 0 or max(prompt) >= sizes.vocab_size:
        raise invalid(name, f"expected ids from 0 to {sizes.vocab_size - 1}.")
