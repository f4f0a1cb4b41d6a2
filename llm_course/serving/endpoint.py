"""One request from its body to the last piece of its answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope, Send

from llm_course.decoding.continuation import Generation
from llm_course.decoding.engine_parts import EngineFull
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.serving.answer import Answer
from llm_course.serving.api_errors import ApiError
from llm_course.serving.asked import Asked, Limits
from llm_course.serving.engine_thread import (
    EngineClosed,
    EngineFailed,
    EngineThread,
    Job,
    JobCancelled,
)
from llm_course.serving.exchange import (
    ClientGone,
    disconnected,
    read_json,
    send_events,
    send_json,
)

Reader = Callable[[Any, PretrainedModel, Limits], Asked]


@dataclass
class Service:
    """What all requests share.

    Args:
        pretrained: the model, with its tokenizer and chat template.
        limits: what a request may ask for.
        thread: who writes.
        n_requests: how many are being answered.
    """

    pretrained: PretrainedModel
    limits: Limits
    thread: EngineThread
    n_requests: int = 0


class Endpoint:
    """Answers the requests to one address; an ASGI application.

    Args:
        service: what writes.
        read: makes texts of a request's fields.
        chat: whether the answers are those of a chat.
    """

    def __init__(self, service: Service, read: Reader, chat: bool) -> None:
        self.service, self.read, self.chat = service, read, chat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that leaves is let go of in silence."""
        service, config = self.service, self.service.limits.server
        if service.n_requests >= config.max_requests:
            raise ApiError(
                503,
                f"requests: expected at most {config.max_requests} at a time, got one more. "
                "Fix: try again later.",
                code="overloaded",
            )
        service.n_requests += 1
        try:
            await self._answer(receive, send)
        except (ClientGone, JobCancelled):
            pass
        finally:
            service.n_requests -= 1

    async def _answer(self, receive: Receive, send: Send) -> None:
        service = self.service
        body = await read_json(receive, service.limits.server)
        # A long text takes the tokenizer a while: others are answered meanwhile.
        asked = await asyncio.to_thread(self.read, body, service.pretrained, service.limits)
        answer = Answer(service.pretrained.name, self.chat, asked.n_prompt_tokens)
        job = Job(service.thread, asked.texts)
        async with _cancelled_in_the_end(job, receive):
            with _as_api_errors():
                await job.start()
                if not asked.stream:
                    whole = answer.whole(await _written(job))
            if asked.stream:
                await send_events(send, _pieces(job, answer, asked.include_usage))
            else:
                await send_json(send, 200, whole, {})


@asynccontextmanager
async def _cancelled_in_the_end(job: Job, receive: Receive) -> AsyncIterator[None]:
    """Cancel the job when the client leaves, and whatever happens in the end."""

    async def watch() -> None:
        await disconnected(receive)
        job.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
        job.cancel()


async def _written(job: Job) -> list[Generation]:
    """The job's texts, once all have ended."""
    written: dict[int, Generation] = {}
    async for index, event in job.events():
        if event.generation is not None:
            written[index] = event.generation
    return [written[index] for index in range(len(job.texts))]


async def _pieces(job: Job, answer: Answer, include_usage: bool) -> AsyncIterator[Any]:
    """The pieces of a stream; an error in the midst of it is its last piece."""
    for index in range(len(job.texts)):
        if opening := answer.opening(index):
            yield opening
    n_written = 0
    try:
        async for index, event in job.events():
            n_written += 1
            if event.text:
                yield answer.piece(index, event.text)
            if event.generation is not None:
                yield answer.piece(index, "", event.generation.reason)
    except (EngineClosed, EngineFailed) as error:
        yield _api_error(error).body()
        return
    if include_usage:
        yield answer.closing(n_written)
    yield "[DONE]"


@contextmanager
def _as_api_errors() -> Iterator[None]:
    """What the engine says, as a client expects it."""
    try:
        yield
    except (ValueError, EngineFull, EngineClosed, EngineFailed) as error:
        raise _api_error(error) from error


def _api_error(error: Exception) -> ApiError:
    if isinstance(error, EngineFull):
        return ApiError(429, str(error), code="queue_full")
    if isinstance(error, EngineClosed):
        return ApiError(503, str(error), code="shutting_down")
    if isinstance(error, EngineFailed):
        return ApiError(500, str(error))
    return ApiError(400, str(error), param=str(error).partition(":")[0], code="invalid_value")
