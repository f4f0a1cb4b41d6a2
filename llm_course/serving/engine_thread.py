"""The engine in a thread of its own, and the jobs that requests give it.

Only this thread touches the engine. Commands go in through a queue; what is written goes out to
the event loop of whoever asked, through a queue of each job. A step of the model takes longer than
anything the event loop does, so neither ever waits for the other.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.engine import Engine
from llm_course.decoding.engine_parts import Event

_log = logging.getLogger(__name__)

Text = tuple[Sequence[int], GenerationConfig]
"""What is to be continued, and how."""


class EngineClosed(RuntimeError):
    """The engine has ended or is about to; it takes no more texts."""


class EngineFailed(RuntimeError):
    """A step of the engine raised; the texts that it held are lost, later ones are not."""


class JobCancelled(Exception):
    """The job was cancelled while somebody read from it."""


class EngineThread:
    """Runs an engine: sleeps while there is nothing to write, and steps while there is.

    Args:
        engine: nobody else may use it from now on.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._inbox: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._jobs: dict[int, tuple[Job, int]] = {}  # by number: whose text, and which of them
        self._lock, self._closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Have what runs cancelled, and whoever waits for it told; what comes later is refused."""
        with self._lock:
            self._closed = True
            self._inbox.put(None)

    def close(self) -> None:
        """Stop, and wait for the thread to end."""
        self.stop()
        self._thread.join()

    def tell(self, command: Callable[[], None]) -> None:
        """Have a command called in the engine's thread, between two steps.

        Raises:
            EngineClosed: it would never be called.
        """
        with self._lock:  # so that nothing can follow the None by which close ends the queue
            if self._closed:
                raise EngineClosed("engine: expected one that runs, got one that has ended.")
            self._inbox.put(command)

    def admit(self, job: "Job") -> None:
        """Submit all texts of a job or none. In the engine's thread only."""
        numbers: list[int] = []
        try:
            for prompt, config in job.texts:
                numbers.append(self.engine.submit(prompt, config))
        except Exception as error:
            # Whatever is wrong with it is the problem of who asked, never of this thread.
            for number in numbers:
                self.engine.cancel(number)
            job.deliver(error)
            return
        self._jobs |= {number: (job, index) for index, number in enumerate(numbers)}
        job.deliver(None)

    def give_up(self, job: "Job") -> None:
        """Cancel what is left of a job. In the engine's thread only."""
        for number in [number for number, (owner, _) in self._jobs.items() if owner is job]:
            del self._jobs[number]
            self.engine.cancel(number)

    def _run(self) -> None:
        while self._obey():
            self._step()
        self._fail(EngineClosed("engine: the server is shutting down."))

    def _obey(self) -> bool:
        """Follow commands until there is something to write; returns whether to go on."""
        while self.engine.idle or not self._inbox.empty():
            command = self._inbox.get()
            if command is None:
                return False
            command()
        return True

    def _step(self) -> None:
        try:
            events = self.engine.step()
        except Exception as error:
            _log.exception("a step of the engine failed; its texts are given up")
            self._fail(EngineFailed(f"engine: a step failed: {type(error).__name__}."))
            return
        for event in events:
            job, index = self._jobs[event.request]
            if event.generation is not None:
                del self._jobs[event.request]
            job.deliver((index, event))

    def _fail(self, error: Exception) -> None:
        for job in {job for job, _ in self._jobs.values()}:
            self.give_up(job)
            job.deliver(error)


class Job:
    """The texts that one request asks for, as the event loop sees them.

    Made in the event loop; ``start``, read ``events``, and always ``cancel`` in the end.

    Args:
        thread: who writes.
        texts: what is to be written.
    """

    def __init__(self, thread: EngineThread, texts: Sequence[Text]) -> None:
        self.thread, self.texts = thread, list(texts)
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[int, Event] | Exception | None] = asyncio.Queue()
        self._ended = False

    async def start(self) -> None:
        """Ask for the texts, all of them or none.

        Raises:
            ValueError: the engine refuses one of them.
            EngineFull: too many texts wait.
            EngineClosed: the engine has ended.
        """
        self.thread.tell(partial(self.thread.admit, self))
        await self._next()

    async def events(self) -> AsyncIterator[tuple[int, Event]]:
        """Which text, and what was written of it, until all have ended.

        Raises:
            JobCancelled: somebody called ``cancel``.
            EngineClosed: the engine ended before the texts did.
            EngineFailed: a step failed.
        """
        n_open = len(self.texts)
        while n_open:
            index, event = await self._next()
            n_open -= event.generation is not None
            yield index, event
        self._ended = True

    def cancel(self) -> None:
        """Give up what has not ended, and free its blocks; after the end it does nothing."""
        if self._ended:
            return
        self._ended = True
        self._queue.put_nowait(JobCancelled())
        with suppress(EngineClosed):
            self.thread.tell(partial(self.thread.give_up, self))

    def deliver(self, item: tuple[int, Event] | Exception | None) -> None:
        """Hand something to the event loop. In the engine's thread only."""
        with suppress(RuntimeError):  # the loop has ended, and with it whoever asked
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)

    async def _next(self) -> tuple[int, Event]:
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item
