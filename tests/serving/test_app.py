"""The server, through the official client: what it answers is what generate writes."""

import httpx
import openai
import pytest

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.decoding.sampling import SamplingConfig
from llm_course.pretrained.smollm2 import load_smollm2

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why? é"}]
CASES = [
    ({"temperature": 0}, {}),
    ({"temperature": 0, "seed": 5}, {}),
    ({"temperature": 1.2, "seed": 3, "top_p": 0.9}, {}),
    ({"temperature": 1, "seed": 4, "frequency_penalty": 0.5, "presence_penalty": -0.5}, {}),
    (
        {"temperature": 0.9, "seed": 5},
        {"top_k": 20, "min_p": 0.01, "typical_p": 0.95, "repetition_penalty": 1.2},
    ),
]


def written(tiny, prompt, options, extra, n=1, most=24, stop=()):
    """What generate writes for a prompt, n times."""
    sampling = SamplingConfig(**options, **extra)
    config = GenerationConfig(
        max_new_tokens=most, end_ids=(tiny.end_id,), sampling=sampling, stop=stop
    )
    return generate(tiny.model, [prompt] * n, config, tiny.tokenizer)


def finish(generation):
    return "length" if generation.reason == "length" else "stop"


@pytest.mark.parametrize(("options", "extra"), CASES)
def test_a_chat_streamed_or_whole_is_what_generate_writes(server, tiny, options, extra):
    expected = written(tiny, tiny.encode_chat(MESSAGES), options, extra, n=2)
    ask = {
        "model": "tiny", "messages": MESSAGES, "max_tokens": 24, "n": 2,
        "extra_body": extra, **options,
    }  # fmt: skip
    client = server.client()
    whole = client.chat.completions.create(**ask)
    assert [c.message.content for c in whole.choices] == [g.text for g in expected]
    assert [c.finish_reason for c in whole.choices] == [finish(g) for g in expected]
    assert whole.usage.prompt_tokens == len(tiny.encode_chat(MESSAGES))
    assert whole.usage.completion_tokens == sum(len(g.tokens) for g in expected)
    texts, reasons, usage = ["", ""], [None, None], None
    for chunk in client.chat.completions.create(
        **ask, stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            assert reasons[choice.index] is None, "nothing follows the last piece of a text"
            texts[choice.index] += choice.delta.content or ""
            reasons[choice.index] = choice.finish_reason
    assert texts == [g.text for g in expected] and reasons == [finish(g) for g in expected]
    assert usage == whole.usage


@pytest.mark.parametrize(("options", "extra"), CASES)
def test_a_completion_streamed_or_whole_is_what_generate_writes(server, tiny, options, extra):
    prompt = "Once upon a time"
    [expected] = written(tiny, tiny.tokenizer.encode(prompt), options, extra)
    ask = {"model": "tiny", "prompt": prompt, "max_tokens": 24, "extra_body": extra, **options}
    client = server.client()
    whole = client.completions.create(**ask)
    assert whole.choices[0].text == expected.text
    assert whole.choices[0].finish_reason == finish(expected)
    chunks = list(client.completions.create(**ask, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == expected.text
    assert chunks[-1].choices[0].finish_reason == finish(expected)


def test_several_prompts_and_ids_as_prompts(server, tiny):
    client, options = server.client(), {"temperature": 0}
    expected = [written(tiny, p, options, {}, most=8)[0].text for p in ([1, 2, 3], [7, 8])]
    for prompt in ([[1, 2, 3], [7, 8]], ["\x01\x02\x03", "\x07\x08"]):
        answer = client.completions.create(model="tiny", prompt=prompt, max_tokens=8, **options)
        assert [choice.text for choice in answer.choices] == expected
    answer = client.completions.create(model="tiny", prompt=[1, 2, 3], max_tokens=8, **options)
    assert [choice.text for choice in answer.choices] == expected[:1]


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_string_ends_the_text_before_it(server, tiny, stream):
    prompt, options = tiny.tokenizer.encode("Go"), {"temperature": 1.0, "seed": 11}
    [free] = written(tiny, prompt, options, {}, most=40)
    # ASCII characters of what is written anyhow, so that it can be a stop string
    place = next(i for i in range(4, len(free.text)) if free.text[i].isascii())
    stop = free.text[place]
    [expected] = written(tiny, prompt, options, {}, most=40, stop=(stop,))
    assert expected.reason == "stop", "or the test shows nothing"
    answer = server.client().completions.create(
        model="tiny", prompt="Go", max_tokens=40, stop=stop, stream=stream, **options
    )
    chunks = list(answer) if stream else [answer]
    assert "".join(chunk.choices[0].text for chunk in chunks) == expected.text
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_without_a_seed_texts_differ(server):
    ask = {"model": "tiny", "prompt": "A", "max_tokens": 24}
    client = server.client()
    assert len({client.completions.create(**ask).choices[0].text for _ in range(3)}) == 3


def test_what_nobody_asked_for_is_limited_by_the_server(server):
    answer = server.client().completions.create(model="tiny", prompt="A", seed=1)
    assert answer.usage.completion_tokens <= 16, "OpenAI's default"
    chat = server.client().chat.completions.create(model="tiny", messages=MESSAGES, seed=1)
    assert chat.usage.completion_tokens <= 64, "the server's"


def test_content_in_parts_and_developer_are_understood(server, tiny):
    client = server.client()
    parts = [{"type": "text", "text": "Why"}, {"type": "text", "text": "? é"}]
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": parts, "name": "Ada"},
    ]
    answers = [
        client.chat.completions.create(model="tiny", messages=m, max_tokens=9, temperature=0)
        for m in (MESSAGES, messages)
    ]
    assert answers[0].choices[0].message.content == answers[1].choices[0].message.content


def test_an_answer_of_the_client_can_be_sent_back(server):
    client = server.client()
    first = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=4, seed=1)
    conversation = [
        *MESSAGES, first.choices[0].message, {"role": "user", "content": "And?"},
    ]  # fmt: skip
    assert client.chat.completions.create(model="tiny", messages=conversation, max_tokens=4, seed=1)


def test_models_are_listed(server):
    client = server.client()
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").id == "tiny"
    with pytest.raises(openai.NotFoundError) as told:
        client.models.retrieve("other")
    assert told.value.code == "model_not_found"


def test_a_model_without_a_template_does_not_chat(tiny_without_template, serving):
    with serving(tiny_without_template) as running:
        client = running.client()
        with pytest.raises(openai.BadRequestError, match="no chat template"):
            client.chat.completions.create(model="tiny", messages=MESSAGES)
        assert client.completions.create(model="tiny", prompt="A", max_tokens=2)


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/nothing", 404), ("/", 404), ("/v1/completions", 405)]
)
def test_addresses_and_methods_that_do_not_exist_have_the_same_shape(server, path, status):
    answer = httpx.get(f"http://127.0.0.1:{server.port}{path}")
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "invalid_request_error"


CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.mark.slow
def test_smollm2_answers_through_the_server_as_it_does_alone(serving):
    smollm2 = load_smollm2()
    config = GenerationConfig(max_new_tokens=16, end_ids=(smollm2.end_id,))
    prompt = smollm2.encode_chat(CAPITAL)
    [expected] = generate(smollm2.model, [prompt], config, smollm2.tokenizer)
    assert "Paris" in expected.text
    with serving(smollm2) as running:
        ask = {"model": smollm2.name, "messages": CAPITAL, "max_tokens": 16, "temperature": 0}
        client = running.client()
        whole = client.chat.completions.create(**ask)
        chunks = list(client.chat.completions.create(**ask, stream=True))
    assert whole.choices[0].message.content == expected.text
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == expected.text
