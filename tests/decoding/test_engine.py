"""Texts that share an engine come out as each would alone, and no block is lost."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.engine import Engine
from llm_course.decoding.engine_parts import EngineConfig, EngineFull
from llm_course.decoding.generate import generate
from llm_course.decoding.sampling import SamplingConfig
from llm_course.model.config import DecoderConfig
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.byte_level import byte_characters

CONFIG = DecoderConfig(
    vocab_size=20, context_length=48, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=16
)
TOKENIZER = ByteLevelBPE(dict(zip(byte_characters(), range(256), strict=True)), [])
SAMPLINGS = [
    SamplingConfig(temperature=0.0),
    SamplingConfig(temperature=0.0, repetition_penalty=1.3),
    SamplingConfig(temperature=1.3, top_k=8, frequency_penalty=0.3),
    SamplingConfig(top_p=0.9),
]
# Beginnings that are often alike, so that prefixes are shared.
PROMPTS = st.tuples(
    st.sampled_from([(), (1, 2, 3), (1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 9, 9)]),
    st.lists(st.integers(0, 19), min_size=1, max_size=6),
).map(lambda parts: [*parts[0], *parts[1]])
REQUESTS = st.tuples(
    st.integers(0, 12),  # the step in which it arrives
    PROMPTS,
    st.builds(
        GenerationConfig,
        max_new_tokens=st.integers(1, 14),
        end_ids=st.sampled_from([(), (7,), (3, 11)]),
        sampling=st.builds(replace, st.sampled_from(SAMPLINGS), seed=st.integers(0, 3)),
    ),
)


@pytest.fixture(scope="module")
def model(make_lively):
    return make_lively(CONFIG).double()


@pytest.fixture(scope="module")
def light(make_lively):
    """For tests of many texts."""
    small = replace(CONFIG, n_layers=1, d_model=8, n_heads=2, n_kv_heads=1)
    return make_lively(small).double()


def play(engine: Engine, requests):
    """Submit each request in its step; returns what was written, in the order of the requests."""
    numbers, written, step = {}, {}, 0
    while len(numbers) < len(requests) or not engine.idle:
        for i, (arrival, prompt, config) in enumerate(requests):
            if arrival == step:
                numbers[i] = engine.submit(prompt, config)
        for event in engine.step():
            if event.generation is not None:
                written[event.request] = event.generation
        step += 1
    return [written[numbers[i]] for i in range(len(requests))]


@given(
    st.lists(REQUESTS, min_size=1, max_size=8), st.integers(7, 20), st.sampled_from([1, 3, 4]),
    st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_every_text_is_what_it_would_be_alone(model, requests, n_blocks, max_running, share):
    engine = Engine(
        model,
        EngineConfig(
            n_blocks=n_blocks, block_size=4, max_running=max_running, share_prefixes=share
        ),
    )
    written = play(engine, requests)
    for generation, (_, prompt, config) in zip(written, requests, strict=True):
        assert generation == generate(model, [prompt], config)[0]
    assert engine.n_free_blocks == n_blocks
    assert engine.statistics.n_finished == len(requests)
    assert engine.statistics.n_written == sum(len(text.tokens) for text in written)
    assert engine.statistics.most_blocks <= n_blocks


def test_a_small_pool_preempts_and_nothing_changes(model):
    configs = [
        GenerationConfig(max_new_tokens=20, sampling=replace(SAMPLINGS[2], seed=seed))
        for seed in range(6)
    ]
    requests = [(0, [seed, seed + 1, 5], config) for seed, config in enumerate(configs)]
    engine = Engine(model, EngineConfig(n_blocks=12, block_size=2))
    written = play(engine, requests)
    assert engine.statistics.n_preemptions > 0, "or the test shows nothing"
    for generation, (_, prompt, config) in zip(written, requests, strict=True):
        assert [generation] == generate(model, [prompt], config)
    assert engine.n_free_blocks == 12


@pytest.mark.slow
def test_smollm2_in_fp32_writes_what_it_writes_alone(smollm2):
    """A real model, in a batch with shared beginnings and preemption: rounding changes no token."""
    opening = smollm2.encode_chat([{"role": "user", "content": "Tell me about the sea."}])
    ends = smollm2.tokenizer.encode(" And about ships, bread, old songs and the moon")
    configs = [
        GenerationConfig(max_new_tokens=12 + i, sampling=replace(SAMPLINGS[i % 2], seed=i))
        for i in range(6)
    ]
    requests = [(i, [*opening, *ends[: 2 * i]], config) for i, config in enumerate(configs)]
    engine = Engine(smollm2.model, EngineConfig(n_blocks=18, block_size=4))
    written = play(engine, requests)
    assert engine.statistics.n_preemptions > 0 and engine.statistics.n_shared_tokens > 0
    for generation, (_, prompt, config) in zip(written, requests, strict=True):
        assert generation == generate(smollm2.model, [prompt], config)[0]
    assert engine.n_free_blocks == 18


def test_equal_beginnings_are_read_once(model):
    prompt = list(range(16))
    requests = [(0, [*prompt, token], GenerationConfig(max_new_tokens=5)) for token in range(4)]
    sharing, apart = (
        Engine(model, EngineConfig(n_blocks=40, block_size=4, share_prefixes=share))
        for share in (True, False)
    )
    assert play(sharing, requests) == play(apart, requests)
    assert sharing.statistics.n_shared_tokens == 3 * 16 and apart.statistics.n_shared_tokens == 0
    assert sharing.statistics.n_prompt_tokens == 4 * 17 - 3 * 16
    assert sharing.statistics.most_blocks < apart.statistics.most_blocks


def test_a_text_that_ends_makes_room_at_once(model):
    engine = Engine(model, EngineConfig(max_running=2))
    short, long = (GenerationConfig(max_new_tokens=n) for n in (2, 20))
    for config in (long, short, short, short):
        engine.submit([1, 2], config)
    engine.run()
    assert engine.statistics.n_steps == 19, "the short ones took turns beside the long one"


def test_a_thousand_requests_with_cancellations_leak_no_block(light):
    chance, engine = random.Random(0), Engine(light, EngineConfig(n_blocks=24, block_size=4))
    live, n_cancelled = set(), 0
    while engine.statistics.n_submitted < 1_000 or not engine.idle:
        for _ in range(chance.randrange(6)):
            if engine.statistics.n_submitted < 1_000:
                begin = chance.choice([[], [1, 2, 3, 4, 5, 6, 7, 8]])
                prompt = begin + [chance.randrange(20) for _ in range(chance.randint(1, 8))]
                config = GenerationConfig(
                    max_new_tokens=chance.randint(1, 12),
                    sampling=SamplingConfig(seed=chance.randrange(99)),
                    end_ids=(7,),
                )
                live.add(engine.submit(prompt, config))
        if live and chance.random() < 0.3:
            number = chance.choice(sorted(live))
            assert engine.cancel(number) and not engine.cancel(number)
            live.discard(number)
            n_cancelled += 1
        live -= {event.request for event in engine.step() if event.generation is not None}
    seen = engine.statistics
    assert not live and engine.n_free_blocks == 24
    assert seen.n_cancelled == n_cancelled > 50 and seen.n_finished == 1_000 - n_cancelled
    assert seen.n_preemptions > 0 and seen.n_shared_tokens > 0 and seen.most_blocks >= 20


def test_a_cancelled_text_disturbs_nobody(model):
    config = GenerationConfig(max_new_tokens=12)
    engine = Engine(model, EngineConfig(block_size=2))
    stays, goes = engine.submit([1, 2, 3, 4, 5], config), engine.submit([1, 2, 3, 4, 6], config)
    waits = engine.submit([9], config)
    engine.step()
    assert engine.cancel(goes)
    written = engine.run()
    assert set(written) == {stays, waits}
    assert [written[stays], written[waits]] == [
        generate(model, [prompt], config)[0] for prompt in ([1, 2, 3, 4, 5], [9])
    ]


def test_events_spell_the_text_and_stop_strings_end_it(make_lively):
    model = make_lively(replace(CONFIG, vocab_size=256)).double()
    config = GenerationConfig(max_new_tokens=30, sampling=SamplingConfig(top_k=9, seed=4))
    [free] = generate(model, [list(b"Hello")], config, TOKENIZER)
    stop = next(c for c in free.text[4:] if c.isprintable() and c != "�")
    config = replace(config, stop=(stop,))
    engine, pieces = Engine(model, tokenizer=TOKENIZER), []
    engine.submit(list(b"Hello"), config)
    while not engine.idle:
        pieces += engine.step()
    [expected] = generate(model, [list(b"Hello")], config, TOKENIZER)
    assert pieces[-1].generation == expected and expected.reason == "stop"
    assert "".join(piece.text for piece in pieces) == expected.text


def test_what_can_never_run_is_refused_and_nothing_is_queued(model):
    engine = Engine(model, EngineConfig(n_blocks=4, block_size=4, max_waiting=2))
    with pytest.raises(ValueError, match=r"prompt: expected at most 16 tokens .* got 8 \+ 19. Fix"):
        engine.submit([1] * 8, GenerationConfig(max_new_tokens=20))
    with pytest.raises(ValueError, match="prompt: expected 1 to context_length=48 tokens, got 49"):
        engine.submit([1] * 49)
    with pytest.raises(ValueError, match="stop: expected none without a tokenizer"):
        engine.submit([1], GenerationConfig(stop=("a",), max_new_tokens=4))
    assert engine.idle and engine.statistics.n_submitted == 0
    for _ in range(2):
        engine.submit([1], GenerationConfig(max_new_tokens=4))
    with pytest.raises(EngineFull, match="requests: expected at most 2 that wait"):
        engine.submit([1], GenerationConfig(max_new_tokens=4))
    assert len(engine.run()) == 2
    with pytest.raises(ValueError, match="request: expected a number that submit returned, got 2"):
        engine.cancel(2)


def test_two_hundred_requests_on_a_small_pool_all_come_out(light):
    engine = Engine(light, EngineConfig(n_blocks=8, block_size=4))
    config = GenerationConfig(max_new_tokens=6)
    prompts = [[n % 20, n % 7, n % 3] for n in range(200)]
    numbers = [engine.submit(prompt, config) for prompt in prompts]
    written = engine.run()
    assert set(written) == set(numbers) and engine.n_free_blocks == 8
    for number in (0, 99, 199):
        assert [written[number]] == generate(light, [prompts[number]], config)
