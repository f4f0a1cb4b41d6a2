"""The thread between the engine and the event loop: what happens at its ends."""

import asyncio
import time

import pytest

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.engine import Engine
from llm_course.decoding.engine_parts import EngineConfig, EngineFull
from llm_course.decoding.generate import generate
from llm_course.serving.engine_thread import EngineClosed, EngineThread, Job, JobCancelled

LONG = GenerationConfig(max_new_tokens=150)


@pytest.fixture
def thread(tiny):
    thread = EngineThread(Engine(tiny.model, EngineConfig(n_blocks=40, max_waiting=3)))
    thread.start()
    yield thread
    thread.close()
    assert thread.engine.idle and thread.engine.n_free_blocks == 40


async def collect(job):
    return [(index, event.token) async for index, event in job.events()]


def test_every_token_comes_out_in_order_and_once(tiny, thread):
    prompts = [[1, 2], [3], [4, 5, 6]]
    config = GenerationConfig(max_new_tokens=9)

    async def play():
        job = Job(thread, [(prompt, config) for prompt in prompts])
        await job.start()
        return await collect(job)

    told = asyncio.run(play())
    for i, prompt in enumerate(prompts):
        [expected] = generate(tiny.model, [prompt], config)
        assert [token for index, token in told if index == i] == expected.tokens


def test_all_texts_of_a_job_are_taken_or_none(thread):
    async def play():
        with pytest.raises(EngineFull):
            await Job(thread, [([1], LONG)] * 4).start()
        with pytest.raises(ValueError, match="prompt"):
            await Job(thread, [([1], LONG), ([], LONG)]).start()

    asyncio.run(play())
    assert thread.engine.statistics.n_written == 0


def test_a_cancelled_job_ends_at_once_and_cancelling_again_does_nothing(thread):
    async def play():
        job = Job(thread, [([1], LONG)])
        await job.start()
        reader = asyncio.create_task(collect(job))
        job.cancel()
        job.cancel()
        with pytest.raises(JobCancelled):
            await reader

    asyncio.run(play())


def test_a_job_that_ended_is_not_cancelled(thread):
    async def play():
        job = Job(thread, [([1], GenerationConfig(max_new_tokens=2))])
        await job.start()
        await collect(job)
        job.cancel()

    asyncio.run(play())
    assert thread.engine.statistics.n_cancelled == 0


def test_closing_tells_those_who_wait_and_refuses_those_who_come(tiny, monkeypatch):
    thread = EngineThread(Engine(tiny.model, EngineConfig(n_blocks=40)))
    step, left = thread.engine.step, [3]

    def held_step():  # three steps, and then none: the texts cannot have ended before
        left[0] -= 1
        time.sleep(0.005)
        return step() if left[0] >= 0 else []

    monkeypatch.setattr(thread.engine, "step", held_step)
    thread.start()

    async def play():
        job = Job(thread, [([1], LONG)] * 3)
        await job.start()
        await asyncio.to_thread(thread.close)
        with pytest.raises(EngineClosed):
            await collect(job)
        job.cancel()
        with pytest.raises(EngineClosed):
            await Job(thread, [([1], LONG)]).start()

    asyncio.run(play())
    assert thread.engine.n_free_blocks == 40 and thread.engine.idle


def test_an_event_loop_that_has_ended_does_not_stop_the_thread(tiny, thread):
    async def leave():
        await Job(thread, [([1], LONG)]).start()

    asyncio.run(leave())  # nobody cancels, nobody reads

    async def play():
        job = Job(thread, [([2], GenerationConfig(max_new_tokens=3))])
        await job.start()
        return await collect(job)

    [expected] = generate(tiny.model, [[2]], GenerationConfig(max_new_tokens=3))
    assert [token for _, token in asyncio.run(play())] == expected.tokens
