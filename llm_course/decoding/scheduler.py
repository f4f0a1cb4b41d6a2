"""Who may run: texts that wait, texts that run, and the blocks that these hold.

First come, first served. A text that waits joins when there is a place and there are blocks; one
that begins like a running text shares its blocks; and when the blocks are used up, the text that
came last gives its own back and waits in front of all that came later. The scheduler never calls
the model.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from llm_course.decoding.blocks import OutOfBlocks, blocks_for
from llm_course.decoding.continuation import Continuation
from llm_course.decoding.engine_parts import EngineConfig, EngineStatistics
from llm_course.decoding.paged_cache import PagedCache


@dataclass
class Request:
    """A text that waits or runs; it has a sequence of the cache while it runs.

    Args:
        number: the order in which it came.
        text: what is written.
        sequence: its sequence in the cache; None while it waits.
    """

    number: int
    text: Continuation
    sequence: int | None = None


class Scheduler:
    """The queue, the batch, and the blocks of the cache.

    Args:
        cache: whose blocks are given out.
        config: how much may run.
        statistics: where it counts what it did.
    """

    def __init__(
        self, cache: PagedCache, config: EngineConfig, statistics: EngineStatistics
    ) -> None:
        self.cache, self.config, self.statistics = cache, config, statistics
        self.waiting: deque[Request] = deque()
        self.running: list[Request] = []  # in the order of their numbers, as those that wait

    def admit(self) -> tuple[Request, int] | None:
        """Let the first waiting text join, if it can.

        Returns the text and how many of its last tokens are still to be read: room is made for
        them. None if no text waits, the batch is full, or blocks are missing.
        """
        if not self.waiting or len(self.running) >= self.config.max_running:
            return None
        tokens = self.waiting[0].text.tokens
        n_shared, donor = self._longest_prefix(tokens)  # in whole blocks
        n_read = len(tokens) - n_shared
        sizes = self.config.block_size, self.config.max_running
        if not admit([n_read], self.cache.pool.n_free, len(self.running), *sizes):
            return None
        request = self.waiting.popleft()
        request.sequence = self.cache.start() if donor is None else self.cache.fork(donor, n_shared)
        self.cache.extend(request.sequence, n_read)
        self.running.append(request)
        self.statistics.n_shared_tokens += n_shared
        self._note_blocks()
        return request, n_read

    def make_room(self) -> list[Request]:
        """Extend every running text by a token; the last ones give way if blocks run out.

        Returns the texts that run.
        """
        for request in list(self.running):
            while request in self.running:
                try:
                    self.cache.extend(request.sequence, 1)
                    break
                except OutOfBlocks:
                    self._preempt(self.running[-1])
        self._note_blocks()
        return list(self.running)

    def finish(self, request: Request) -> None:
        """Let go of a running text that has ended."""
        self.running.remove(request)
        self._release(request)

    def cancel(self, number: int) -> bool:
        """Let go of a text, whether it waits or runs; returns whether it did."""
        for queue in (self.waiting, self.running):
            for request in queue:
                if request.number == number:
                    queue.remove(request)
                    self._release(request)
                    return True
        return False

    def _longest_prefix(self, tokens: list[int]) -> tuple[int, int | None]:
        """The running text that begins most like these tokens, and how many are shared.

        The last token is never shared: the logits after it are needed. Only whole blocks are: a
        part of one would be copied now, and a text that has just joined may not have filled it.
        """
        best, donor = 0, None
        for request in self.running if self.config.share_prefixes else ():
            limit = min(self.cache.length(request.sequence), len(tokens) - 1)
            n_common = common_prefix(tokens[:limit], request.text.tokens)
            n_shared = n_common - n_common % self.config.block_size
            if n_shared > best:
                best, donor = n_shared, request.sequence
        return best, donor

    def _preempt(self, request: Request) -> None:
        """Take a text's blocks; all of it is read again when it comes back."""
        self.running.remove(request)
        self._release(request)
        self.waiting.appendleft(request)
        self.statistics.n_preemptions += 1

    def _release(self, request: Request) -> None:
        if request.sequence is not None:
            self.cache.release(request.sequence)
            request.sequence = None

    def _note_blocks(self) -> None:
        held = self.config.n_blocks - self.cache.pool.n_free
        self.statistics.most_blocks = max(self.statistics.most_blocks, held)


def admit(
    waiting: Sequence[int], n_free: int, n_running: int, block_size: int, max_running: int
) -> int:
    """How many of the waiting texts join now, in order; nobody overtakes.

    A text joins if there is a place, and if after it took its blocks one is left for each text that
    runs already: else it would soon have to give way again.

    Args:
        waiting: tokens of each text that are to be read.
        n_free: free blocks.
        n_running: texts that run.
        block_size: tokens of a block.
        max_running: places for texts.

    >>> admit([5, 3, 4], n_free=5, n_running=0, block_size=4, max_running=8)  # 2 + 1 blocks, 2 left
    2
    """
    for n_admitted, n_tokens in enumerate(waiting):
        n_free -= blocks_for(n_tokens, block_size)
        if n_running >= max_running or n_free < n_running:
            return n_admitted
        n_running += 1
    return len(waiting)


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts have in common from the beginning.

    >>> common_prefix([1, 2, 3, 4], [1, 2, 9])
    2
    """
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
