"""Every parameter that cannot be is refused with its name, and nobody else notices."""

from dataclasses import replace

import openai
import pytest

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.engine_parts import EngineConfig
from llm_course.decoding.sampling import SamplingConfig
from llm_course.serving.api_errors import ApiError
from llm_course.serving.asked import Limits, read_chat, read_completion
from llm_course.serving.server_config import ServerConfig
from llm_course.tokenizers.bpe import ByteLevelBPE

LIMITS = Limits(server=ServerConfig(max_new_tokens=64, max_texts=4), places=1024)
BAD = [
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": 2.1}, "temperature"),
    ({"temperature": 1e-5}, "temperature"),
    ({"temperature": "hot"}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"top_p": 0}, "top_p"),
    ({"top_p": 1.01}, "top_p"),
    ({"typical_p": 0}, "typical_p"),
    ({"min_p": -1}, "min_p"),
    ({"top_k": -1}, "top_k"),
    ({"top_k": 1.5}, "top_k"),
    ({"repetition_penalty": 0}, "repetition_penalty"),
    ({"frequency_penalty": 3}, "frequency_penalty"),
    ({"presence_penalty": -3}, "presence_penalty"),
    ({"seed": -1}, "seed"),
    ({"seed": 2**63}, "seed"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": 65}, "max_tokens"),
    ({"n": 0}, "n"),
    ({"n": 5}, "n"),
    ({"stop": ""}, "stop"),
    ({"stop": ["a", ""]}, "stop"),
    ({"stop": ["a"] * 5}, "stop"),
    ({"stop": 7}, "stop"),
    ({"stop": "a" * 257}, "stop"),
    ({"stop": "\ud800"}, "stop"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": 3}, None),
    ({"stream_options": {"colour": 1}}, "colour"),
    ({"model": None}, "model"),
    ({"model": "gpt"}, "model"),
    ({"colour": "red"}, "colour"),
    ({"logit_bias": {"1": 2}}, "logit_bias"),
]
BAD_COMPLETIONS = [
    ({"prompt": None}, "prompt"),
    ({"prompt": ""}, "prompt"),
    ({"prompt": []}, "prompt"),
    ({"prompt": [1, "a"]}, "prompt"),
    ({"prompt": [1, True]}, "prompt"),
    ({"prompt": [-1]}, "prompt"),
    ({"prompt": [258]}, "prompt"),
    ({"prompt": "a" * 193}, "prompt"),
    ({"prompt": ["a", "b"], "n": 3}, "n"),
    ({"echo": True}, "echo"),
    ({"logprobs": 3}, "logprobs"),
]
BAD_CHATS = [
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "Hi"}, "messages"),
    ({"messages": ["Hi"]}, "messages[0]"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"messages": [{"role": "king", "content": "Hi"}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": "a" * 200}]}, "messages"),
    ({"max_completion_tokens": 65}, "max_completion_tokens"),
    ({"tools": [{"type": "function"}]}, "tools"),
    ({"response_format": {"type": "json_object"}}, "response_format"),
    ({"logprobs": True}, "logprobs"),
]
COMPLETION = {"model": "tiny", "prompt": "A"}
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "A"}]}


@pytest.mark.parametrize(("change", "param"), BAD + BAD_COMPLETIONS)
def test_a_completion_that_cannot_be_is_refused(tiny, change, param):
    with pytest.raises(ApiError) as told:
        read_completion(COMPLETION | change, tiny, LIMITS)
    assert told.value.param == param and told.value.status in (400, 404)


@pytest.mark.parametrize(("change", "param"), BAD + BAD_CHATS)
def test_a_chat_that_cannot_be_is_refused(tiny, change, param):
    with pytest.raises(ApiError) as told:
        read_chat(CHAT | change, tiny, LIMITS)
    assert told.value.param == param and told.value.status in (400, 404)


def test_every_option_arrives(tiny):
    options = {
        "temperature": 0.5, "top_k": 3, "top_p": 0.9, "min_p": 0.1, "typical_p": 0.8,
        "repetition_penalty": 1.2, "frequency_penalty": 0.3, "presence_penalty": -0.2, "seed": 7,
    }  # fmt: skip
    asked = read_completion(
        COMPLETION | options | {"max_tokens": 9, "stop": ["a", "b"], "n": 2, "user": "Ada"},
        tiny,
        LIMITS,
    )
    for i, (prompt, config) in enumerate(asked.texts):
        assert prompt == [65]
        assert config == GenerationConfig(
            max_new_tokens=9,
            end_ids=(tiny.end_id,),
            stop=("a", "b"),
            sampling=SamplingConfig(**options | {"seed": 7 + i}),
        )
    assert (len(asked.texts), asked.n_prompt_tokens, asked.stream) == (2, 1, False)


def test_without_max_tokens_a_text_fits_into_the_blocks(tiny):
    few = Limits(server=LIMITS.server, places=5)
    [(prompt, config)] = read_completion(COMPLETION | {"prompt": "ABC"}, tiny, few).texts
    assert len(prompt) + config.max_new_tokens - 1 == 5


@pytest.mark.parametrize(
    ("read", "fields"),
    [
        (read_completion, COMPLETION | {"prompt": ["A", "a" * 100_000]}),
        (read_chat, CHAT | {"messages": [{"role": "user", "content": "a" * 600}] * 50}),
    ],
)
def test_a_text_that_is_far_too_long_is_refused_before_it_is_cut_into_tokens(tiny, read, fields):
    class Untouched:
        def __getattr__(self, name):
            raise AssertionError(f"the tokenizer was asked for {name}")

    limits = replace(tiny, tokenizer=Untouched()) if read is read_chat else tiny
    with pytest.raises(ApiError, match="expected at most .* characters, got") as told:
        read(fields, limits, LIMITS)
    assert told.value.code == "context_length_exceeded"


def test_null_is_not_given(tiny):
    nothing = dict.fromkeys(["temperature", "top_p", "stop", "seed", "n", "logprobs", "stream"])
    asked = read_chat(CHAT | nothing, tiny, LIMITS)
    assert asked.texts[0][1].sampling.temperature == 1


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"temperature": -1}, openai.BadRequestError, "invalid_value"),
        ({"max_tokens": 9999}, openai.BadRequestError, "invalid_value"),
        ({"prompt": "a" * 300}, openai.BadRequestError, "context_length_exceeded"),
        ({"stop": ""}, openai.BadRequestError, "invalid_value"),
        ({"extra_body": {"colour": 1}}, openai.BadRequestError, "unknown_parameter"),
        ({"model": "gpt"}, openai.NotFoundError, "model_not_found"),
    ],
)
def test_the_client_learns_what_was_wrong(server, change, kind, code):
    with pytest.raises(kind) as told:
        server.client().completions.create(**COMPLETION | change)
    assert told.value.code == code and told.value.type == "invalid_request_error"
    assert server.engine.idle


def test_what_only_the_engine_can_refuse_has_the_same_shape(tiny, serving):
    with serving(tiny, EngineConfig(n_blocks=2, block_size=4)) as running:
        with pytest.raises(openai.BadRequestError) as told:
            running.client().completions.create(**COMPLETION, max_tokens=60)
        assert told.value.param == "prompt" and "ask for fewer tokens" in told.value.message


def test_a_stop_string_that_cannot_be_written_is_refused(tiny, serving):
    vocabulary = {k: v for k, v in tiny.tokenizer.vocabulary.items() if k != "~"}
    gap = ByteLevelBPE(vocabulary, [], special_tokens=["<s>", "</s>"])
    with serving(replace(tiny, tokenizer=gap)) as running:
        with pytest.raises(openai.BadRequestError) as told:
            running.client().completions.create(**COMPLETION, stop="~")
        assert told.value.param == "stop"
