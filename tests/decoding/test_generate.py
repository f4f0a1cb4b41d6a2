"""Greedy generation is Transformers' generate; a batch is each of its prompts alone."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.decoding.continuation import Continuation, Generation, GenerationConfig
from llm_course.decoding.generate import generate, stream
from llm_course.decoding.sampling import SamplingConfig
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import byte_characters

PROMPTS = [[3, 1, 4, 1, 5], [9, 2, 6], [5, 3, 5, 8, 9, 7, 9], [32]]
TOKENIZER = ByteLevelBPE(dict(zip(byte_characters(), range(256), strict=True)), [])
SAMPLING = SamplingConfig(
    temperature=0.9, top_k=20, repetition_penalty=1.2, presence_penalty=0.2, seed=5
)


def their_greedy(model, prompts, max_new_tokens, end_id=None):
    """Transformers' answers to a batch that is padded on the left, without the padding."""
    longest = max(map(len, prompts))
    tokens = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    real = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    rows = model.generate(
        tokens, attention_mask=real, do_sample=False, max_new_tokens=max_new_tokens,
        eos_token_id=end_id, pad_token_id=-1 % model.config.vocab_size,
    )[:, longest:].tolist()  # fmt: skip
    if end_id is None:
        return rows
    return [row[: row.index(end_id) + 1] if end_id in row else row for row in rows]


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("seed", range(4))
def test_greedy_equals_transformers(twins, kind, seed):
    ours, theirs = twins(kind, seed)
    free = their_greedy(theirs, PROMPTS, 20)[0]
    end_id = max(free, key=free.index)  # the token that is written latest
    config = GenerationConfig(max_new_tokens=30, end_ids=(end_id,))
    written = generate(ours, PROMPTS, config)
    assert [text.tokens for text in written] == their_greedy(theirs, PROMPTS, 30, end_id)
    for text in written:
        assert text.reason == ("end" if text.tokens[-1] == end_id else "length")
    assert len({len(text.tokens) for text in written}) > 1, "the texts end at different times"


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_equals_a_loop_without_a_cache(twins, kind):
    model = twins(kind)[0].double()
    for prompt, written in zip(PROMPTS, generate(model, PROMPTS), strict=True):
        tokens = list(prompt)
        while len(tokens) < len(prompt) + len(written.tokens):
            with torch.no_grad():
                tokens.append(int(model(torch.tensor([tokens]))[0, -1].argmax()))
        assert written.tokens == tokens[len(prompt) :]


@given(
    st.lists(st.lists(st.integers(0, 39), min_size=1, max_size=12), min_size=1, max_size=5),
    st.integers(1, 20),
    st.sampled_from([0.0, 1.2]),
)
@settings(max_examples=30, deadline=None)
def test_a_batch_is_each_prompt_alone(make_lively, prompts, n_tokens, temperature):
    from llm_course.model.config import DecoderConfig

    model = make_lively(
        DecoderConfig(vocab_size=40, context_length=64, d_model=16, n_layers=2, n_heads=2, d_ff=16)
    ).double()
    sampling = replace(SAMPLING, temperature=temperature)
    config = GenerationConfig(max_new_tokens=n_tokens, end_ids=(7, 8, 9), sampling=sampling)
    together = generate(model, prompts, config)
    for i, prompt in enumerate(prompts):
        own = replace(config, sampling=replace(sampling, seed=sampling.seed + i))
        assert generate(model, [prompt], own) == [together[i]]


def test_a_prompt_given_twice_is_continued_in_two_ways(twins):
    config = GenerationConfig(max_new_tokens=20, sampling=SamplingConfig())
    first, second = generate(twins("llama")[0], [PROMPTS[0]] * 2, config)
    assert first != second
    assert generate(twins("llama")[0], [PROMPTS[0]] * 2, config) == [first, second]


def with_bytes(make_lively):
    from llm_course.model.config import DecoderConfig

    return make_lively(
        DecoderConfig(vocab_size=256, context_length=90, d_model=16, n_layers=2, n_heads=2, d_ff=16)
    )


def test_streamed_pieces_join_to_the_generated_text(make_lively):
    model, prompt = with_bytes(make_lively), list(b"Once upon a time")
    config = GenerationConfig(max_new_tokens=60, sampling=SamplingConfig(seed=1))
    [whole] = generate(model, [prompt], config, TOKENIZER)
    pieces = list(stream(model, prompt, config, TOKENIZER))
    assert [piece.token for piece in pieces] == whole.tokens
    assert "".join(piece.text for piece in pieces) == whole.text == TOKENIZER.decode(whole.tokens)
    assert [piece.reason for piece in pieces] == [None] * 59 + ["length"]


def test_a_stop_string_across_tokens_ends_the_text_and_is_not_part_of_it(make_lively):
    model, prompt = with_bytes(make_lively), list(b"Once")
    sampling = SamplingConfig(top_k=20, seed=2)
    [free] = generate(model, [prompt], GenerationConfig(sampling=sampling), TOKENIZER)
    begin = next(
        i for i in range(5, 60) if all(32 < token < 127 for token in free.tokens[i : i + 2])
    )
    stop = bytes(free.tokens[begin : begin + 2]).decode()
    config = GenerationConfig(sampling=sampling, stop=("never ever", stop))
    [ended] = generate(model, [prompt], config, TOKENIZER)
    assert ended.reason == "stop" and ended.text == free.text[: free.text.index(stop)]
    assert ended.tokens == free.tokens[: len(ended.tokens)]
    assert bytes(ended.tokens).endswith(stop.encode())
    assert list(stream(model, prompt, config, TOKENIZER))[-1].reason == "stop"


def test_the_end_token_is_listed_but_not_in_the_text(make_lively):
    model, prompt = with_bytes(make_lively), list(b"Once")
    [free] = generate(model, [prompt], GenerationConfig(max_new_tokens=9), TOKENIZER)
    end_id = free.tokens[5]
    config = GenerationConfig(max_new_tokens=9, end_ids=(end_id,))
    [ended] = generate(model, [prompt], config, TOKENIZER)
    n = free.tokens.index(end_id)
    assert ended == Generation(
        tokens=free.tokens[: n + 1], text=TOKENIZER.decode(free.tokens[:n]), reason="end"
    )


def test_a_full_context_ends_the_text(twins):
    model = twins("llama")[0]
    [written] = generate(model, [[1] * 60], GenerationConfig(max_new_tokens=50))
    assert (len(written.tokens), written.reason) == (5, "length")  # the last one is never read
    [written] = generate(model, [[1] * 64], GenerationConfig(max_new_tokens=50))
    assert len(written.tokens) == 1


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], "prompts: expected at least one, got none"),
        ([[1], []], "prompt: expected 1 to context_length=64 tokens, got 0"),
        ([[1] * 65], "prompt: expected 1 to context_length=64 tokens, got 65. Fix: shorten it"),
        ([[1, 40]], "prompt: expected ids from 0 to vocab_size - 1 = 39, got 1 to 40"),
        ([[-1, 4]], "prompt: expected ids from 0 to vocab_size - 1 = 39, got -1 to 4"),
    ],
)
def test_prompts_that_cannot_be_read_are_refused(twins, prompts, message):
    with pytest.raises(ValueError, match=message):
        generate(twins("llama")[0], prompts)


def test_a_stream_refuses_at_once(twins):
    with pytest.raises(ValueError, match="stop: expected none without a tokenizer"):
        stream(twins("llama")[0], [1], GenerationConfig(stop=("a",)))
    with pytest.raises(ValueError, match=r"stop: expected a tuple of texts, got the text 'ab'"):
        GenerationConfig(stop="ab")


def test_a_text_that_goes_on_has_no_result(twins):
    text = Continuation(twins("llama")[0], [1], GenerationConfig())
    with pytest.raises(RuntimeError, match="result: expected a text that has ended"):
        text.result()


@pytest.mark.slow
def test_greedy_equals_transformers_on_smollm2(smollm2, transformers_smollm2):
    chats = ["What is the capital of France?", "Write a haiku about the sea.", "Count to five."]
    prompts = [smollm2.encode_chat([{"role": "user", "content": chat}]) for chat in chats]
    config = GenerationConfig(max_new_tokens=40, end_ids=(smollm2.end_id,))
    written = generate(smollm2.model, prompts, config, smollm2.tokenizer)
    expected = their_greedy(transformers_smollm2, prompts, 40, smollm2.end_id)
    assert [text.tokens for text in written] == expected
    assert written[0].text == "The capital of France is Paris."
