"""Many at a time, those who leave, those who ask for what cannot be: nobody is disturbed."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.engine_parts import EngineConfig
from llm_course.decoding.generate import generate
from llm_course.decoding.sampling import SamplingConfig


def expected_text(tiny, prompt, seed, most):
    config = GenerationConfig(
        max_new_tokens=most, end_ids=(tiny.end_id,), sampling=SamplingConfig(seed=seed)
    )
    return generate(tiny.model, [prompt], config, tiny.tokenizer)[0].text


def ask(client, seed, most=12, **options):
    """A text of its own for each seed; or the status of the refusal."""
    try:
        answer = client.completions.create(
            model="tiny", prompt=[1 + seed % 50, 2, 3], seed=seed, max_tokens=most, **options
        )
    except openai.APIStatusError as error:
        return error.status_code
    return answer.choices[0].text


def test_200_at_a_time_on_a_small_pool_are_all_answered(tiny, serving):
    engine = EngineConfig(n_blocks=12, block_size=4, max_running=8, max_waiting=200)
    with serving(tiny, engine) as running, ThreadPoolExecutor(200) as pool:
        client = running.client()
        texts = list(pool.map(lambda seed: ask(client, seed), range(200)))
        assert running.engine.statistics.n_preemptions > 0, "or the pool was not small"
        assert running.engine.statistics.n_finished == 200
        assert running.is_clean()
    for seed in range(0, 200, 7):
        assert texts[seed] == expected_text(tiny, [1 + seed % 50, 2, 3], seed, 12)
    assert all(isinstance(text, str) for text in texts)


def test_what_does_not_fit_into_the_queue_is_refused_and_the_rest_is_answered(tiny, serving):
    engine = EngineConfig(n_blocks=12, block_size=4, max_running=2, max_waiting=3)
    with serving(tiny, engine) as running, ThreadPoolExecutor(200) as pool:
        client = running.client()
        answers = list(pool.map(lambda seed: ask(client, seed), range(200)))
        assert running.is_clean()
    assert 429 in answers, "or the queue was never full"
    answered = {seed: text for seed, text in enumerate(answers) if text != 429}
    assert answered, "those that came first"
    for seed, text in answered.items():
        assert text == expected_text(tiny, [1 + seed % 50, 2, 3], seed, 12)


def test_several_texts_of_one_request_wait_or_are_refused_together(tiny, serving):
    engine = EngineConfig(n_blocks=12, max_running=2, max_waiting=3)
    with serving(tiny, engine) as running:
        client = running.client()
        with pytest.raises(openai.RateLimitError) as told:
            client.completions.create(model="tiny", prompt="A", n=4, max_tokens=4)
        assert told.value.code == "queue_full" and told.value.response.headers["retry-after"]
        assert running.is_clean() and running.engine.statistics.n_finished == 0
        assert client.completions.create(model="tiny", prompt="A", n=3, max_tokens=4)


def test_too_many_requests_at_a_time_are_refused(tiny, serving):
    with serving(tiny, max_requests=1) as running:
        client = running.client()
        with socket.create_connection(("127.0.0.1", running.port)) as slow:
            slow.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
            assert running.wait_until(lambda: running.service.n_requests == 1)
            with pytest.raises(openai.InternalServerError) as told:
                client.completions.create(model="tiny", prompt="A", max_tokens=2)
            assert (told.value.status_code, told.value.code) == (503, "overloaded")
        assert running.is_clean()
        assert client.completions.create(model="tiny", prompt="A", max_tokens=2)


@pytest.fixture
def endless(tiny, serving, monkeypatch):
    """A server whose texts end only if they are cancelled: a step waits for the test's leave."""
    with serving(tiny, EngineConfig(n_blocks=64), max_new_tokens=190) as running:
        step = running.engine.step
        gate = {"steps": 0, "allowed": 3}

        def held_step():
            if gate["steps"] >= gate["allowed"]:
                time.sleep(0.005)
                return []  # the thread goes on to follow commands, and writes nothing
            gate["steps"] += 1
            return step()

        monkeypatch.setattr(running.engine, "step", held_step)
        running.gate = gate
        yield running
        gate["allowed"] = 10**9


LONG = {"model": "tiny", "prompt": "A", "max_tokens": 190, "temperature": 0}


def test_a_client_that_leaves_a_stream_frees_its_blocks(endless):
    stream = endless.client().chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "A"}], max_tokens=100, stream=True
    )
    next(iter(stream))
    assert endless.wait_until(lambda: endless.engine.n_running == 1)
    assert endless.engine.n_free_blocks < 64
    stream.close()
    assert endless.is_clean() and endless.engine.statistics.n_cancelled == 1


def test_a_client_that_leaves_before_the_answer_frees_its_blocks(endless):
    client = endless.client()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.with_options(timeout=5).completions.create, **LONG)
        assert endless.wait_until(lambda: endless.engine.n_running == 1)
        with pytest.raises(openai.APITimeoutError):
            asked.result()
    assert endless.is_clean() and endless.engine.statistics.n_cancelled == 1


def test_a_client_that_leaves_in_the_queue_is_forgotten(tiny, endless):
    with ThreadPoolExecutor(30) as pool:
        client = endless.client()

        def leave(_):
            with pytest.raises(openai.APITimeoutError):
                client.with_options(timeout=5).completions.create(**LONG)

        left = [pool.submit(leave, i) for i in range(30)]
        assert endless.wait_until(lambda: endless.engine.n_waiting > 0), "nobody had to queue"
        for future in left:
            future.result()
    assert endless.is_clean()
    assert endless.engine.statistics.n_cancelled == endless.engine.statistics.n_submitted


def test_those_who_leave_do_not_disturb_those_who_stay(tiny, serving):
    engine = EngineConfig(n_blocks=20, block_size=4, max_running=8)
    with serving(tiny, engine) as running, ThreadPoolExecutor(40) as pool:
        client = running.client()

        def play(seed):
            if seed % 2:
                return ask(client, seed, most=20)
            stream = client.completions.create(
                model="tiny", prompt="A" * (1 + seed % 7), max_tokens=60, stream=True, seed=seed
            )
            next(iter(stream))
            stream.close()
            return None

        texts = list(pool.map(play, range(40)))
        assert running.is_clean()
    for seed in range(1, 40, 2):
        assert texts[seed] == expected_text(tiny, [1 + seed % 50, 2, 3], seed, 20)


def test_a_defect_is_ours_and_later_requests_are_answered(tiny, serving, monkeypatch):
    with serving(tiny) as running:
        step, calls = running.engine.step, []

        def failing_step():
            calls.append(1)
            if len(calls) == 3:
                raise RuntimeError("planted")
            return step()

        monkeypatch.setattr(running.engine, "step", failing_step)
        client = running.client()
        with pytest.raises(openai.InternalServerError) as told:
            client.completions.create(model="tiny", prompt=[1, 2, 3], max_tokens=20, seed=3)
        assert told.value.status_code == 500 and "planted" not in told.value.message
        assert running.is_clean()
        assert ask(client, 0) == expected_text(tiny, [1, 2, 3], 0, 12)
        calls.clear()
        stream = client.completions.create(
            model="tiny", prompt=[1, 2, 3], max_tokens=20, stream=True, seed=0
        )
        with pytest.raises(openai.APIError, match="a step failed"):
            list(stream)
        assert running.is_clean()
