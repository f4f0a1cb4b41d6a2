"""The real model behind the server: the official client gets what generate writes."""

import pytest

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.pretrained.smollm2 import load_smollm2

MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.mark.slow
def test_smollm2_answers_through_the_server_as_it_does_alone(serving):
    smollm2 = load_smollm2()
    config = GenerationConfig(max_new_tokens=16, end_ids=(smollm2.end_id,))
    prompt = smollm2.encode_chat(MESSAGES)
    [expected] = generate(smollm2.model, [prompt], config, smollm2.tokenizer)
    assert "Paris" in expected.text
    with serving(smollm2) as running:
        ask = {"model": smollm2.name, "messages": MESSAGES, "max_tokens": 16, "temperature": 0}
        client = running.client()
        whole = client.chat.completions.create(**ask)
        chunks = list(client.chat.completions.create(**ask, stream=True))
    assert whole.choices[0].message.content == expected.text
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == expected.text
