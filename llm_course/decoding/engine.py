"""Continuous batching: texts join and leave the running batch at every step.

A batch that waits for its longest text leaves the places of the others empty. Here a text that has
ended makes room at once for one that waits. Keys and values lie in the blocks of a ``PagedCache``;
prompts that begin like a running text share its blocks; and when the blocks are used up, the text
that came last gives its own back and is read again later. Leaves out prompts cut into pieces, and
the reuse of blocks whose last text has ended.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from llm_course.decoding.blocks import OutOfBlocks
from llm_course.decoding.continuation import Continuation, Generation, GenerationConfig, choose
from llm_course.decoding.engine_parts import EngineConfig, EngineFull, EngineStatistics, Event
from llm_course.decoding.language_model import LanguageModel, last_logits
from llm_course.decoding.paged_cache import PagedCache
from llm_course.decoding.paged_step import PagedStep
from llm_course.decoding.text_stream import Tokenizer


@dataclass
class _Request:
    """A text that waits or runs; it has a sequence of the cache while it runs."""

    number: int
    text: Continuation
    sequence: int = -1


class Engine:
    """Writes many texts at once; each comes out as ``generate`` would write it alone.

    ``submit`` texts at any time, and call ``step`` until ``idle``. One thread at a time may use it.

    Args:
        model: what reads and writes.
        config: how much it holds.
        tokenizer: makes text of the tokens; needed for stop strings.

    Source:
        Yu et al. 2022, *Orca* (OSDI), section 3.2; Kwon et al. 2023, arXiv:2309.06180, section 4.5.

    >>> from llm_course.model.decoder import Decoder
    >>> from llm_course.model.config import DecoderConfig
    >>> model = Decoder(DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... ))
    >>> engine = Engine(model, EngineConfig(n_blocks=8, block_size=2))
    >>> first = engine.submit([1, 2, 3], GenerationConfig(max_new_tokens=4))
    >>> second = engine.submit([4], GenerationConfig(max_new_tokens=2))
    >>> written = engine.run()
    >>> len(written[first].tokens), len(written[second].tokens), engine.n_free_blocks
    (4, 2, 8)
    """

    def __init__(
        self,
        model: LanguageModel,
        config: EngineConfig | None = None,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        self.model, self.config, self.tokenizer = model, config or EngineConfig(), tokenizer
        sizes, weight = model.config, model.output_weight
        self._cache = PagedCache(
            sizes.n_layers, sizes.n_kv_heads, sizes.d_head, n_blocks=self.config.n_blocks,
            block_size=self.config.block_size, dtype=weight.dtype, device=weight.device,
        )  # fmt: skip
        self._waiting: deque[_Request] = deque()
        self._running: list[_Request] = []  # in the order of their numbers, as those that wait
        self.statistics = EngineStatistics()

    @property
    def idle(self) -> bool:
        """Whether there is no text to write."""
        return not self._waiting and not self._running

    @property
    def n_running(self) -> int:
        """Texts of the batch."""
        return len(self._running)

    @property
    def n_waiting(self) -> int:
        """Texts that wait for a place."""
        return len(self._waiting)

    @property
    def n_free_blocks(self) -> int:
        """Blocks that no text holds."""
        return self._cache.pool.n_free

    def submit(self, prompt: Sequence[int], config: GenerationConfig | None = None) -> int:
        """Queue a text; returns its number.

        Raises:
            ValueError: the prompt or a stop string is refused, as by ``generate``; or the text
                could become longer than all blocks together.
            EngineFull: too many texts wait.
        """
        text = Continuation(self.model, prompt, config or GenerationConfig(), self.tokenizer)
        longest, room = len(prompt) + text.most - 1, self.config.n_blocks * self.config.block_size
        if longest > room:
            raise ValueError(
                f"prompt: expected at most {room} tokens with those to write, the cache's blocks, "
                f"got {len(prompt)} + {text.most - 1}. Fix: lower max_new_tokens, or more blocks."
            )
        if len(self._waiting) >= self.config.max_waiting:
            raise EngineFull(
                f"requests: expected at most {self.config.max_waiting} that wait, got one more. "
                "Fix: try again later."
            )
        number = self.statistics.n_submitted
        self.statistics.n_submitted += 1
        self._waiting.append(_Request(number, text))
        return number

    def cancel(self, number: int) -> bool:
        """Give up a text; returns whether it was still waiting or running.

        Raises:
            ValueError: no text has had this number.
        """
        if not 0 <= number < self.statistics.n_submitted:
            raise ValueError(f"request: expected a number that submit returned, got {number}.")
        for queue in (self._waiting, self._running):
            for request in queue:
                if request.number == number:
                    queue.remove(request)
                    self._release(request)
                    self.statistics.n_cancelled += 1
                    return True
        return False

    def run(self) -> dict[int, Generation]:
        """Step until idle; returns the texts that ended, by number."""
        written = {}
        while not self.idle:
            for event in self.step():
                if event.generation is not None:
                    written[event.request] = event.generation
        return written

    @torch.inference_mode()
    def step(self) -> list[Event]:
        """Let waiting texts join, and write one token of every text that runs.

        A text that joins gets its first token from its prompt, and its second with the others.
        """
        events = self._admit()
        batch = self._make_room()
        if batch:
            column = self._column([request.text.history.written[-1:] for request in batch])
            room = PagedStep(self._cache, [request.sequence for request in batch], n_tokens=1)
            logits = last_logits(self.model, column, room)
            self.statistics.n_steps += 1
            events += self._write(batch, logits)
        return events

    def _admit(self) -> list[Event]:
        """Let texts join in the order of their numbers, while there are places and blocks."""
        events: list[Event] = []
        while self._waiting and len(self._running) < self.config.max_running:
            request = self._waiting[0]
            try:
                n_read = self._begin(request)
            except OutOfBlocks:
                break
            self._waiting.popleft()
            self._running.append(request)
            tokens = request.text.tokens[-n_read:]
            room = PagedStep(self._cache, [request.sequence], n_tokens=n_read)
            logits = last_logits(self.model, self._column([tokens]), room)
            self.statistics.n_prompt_tokens += n_read
            events += self._write([request], logits)
        return events

    def _begin(self, request: _Request) -> int:
        """Make room for a text; returns how many of its last tokens are still to be read.

        Raises:
            OutOfBlocks: there is none; nothing was changed.
        """
        tokens = request.text.tokens
        n_shared, donor = self._longest_prefix(tokens)
        request.sequence = (
            self._cache.start() if donor is None else self._cache.fork(donor, n_shared)
        )
        try:
            self._cache.extend(request.sequence, len(tokens) - n_shared)
            # A block for each that runs already: else this one would soon have to give way again.
            if self.n_free_blocks < self.n_running:
                raise OutOfBlocks(self.n_running, self.n_free_blocks, self.config.n_blocks)
        except OutOfBlocks:
            self._release(request)
            raise
        self.statistics.n_shared_tokens += n_shared
        self._note_blocks()
        return len(tokens) - n_shared

    def _longest_prefix(self, tokens: list[int]) -> tuple[int, int | None]:
        """The running text that begins most like these tokens, if that fills a block at least.

        The last token is never shared: the logits after it are needed.
        """
        best, donor = self.config.block_size - 1, None
        for request in self._running if self.config.share_prefixes else ():
            limit = min(self._cache.length(request.sequence), len(tokens) - 1)
            n_common = _common_prefix(tokens, request.text.tokens, limit)
            if n_common > best:
                best, donor = n_common, request.sequence
        return (0, None) if donor is None else (best, donor)

    def _make_room(self) -> list[_Request]:
        """Extend every running text by a token; the last ones give way if blocks run out."""
        for request in list(self._running):
            while request in self._running:
                try:
                    self._cache.extend(request.sequence, 1)
                    break
                except OutOfBlocks:
                    self._preempt(self._running[-1])
        self._note_blocks()
        return list(self._running)

    def _preempt(self, request: _Request) -> None:
        """Take a text's blocks; it waits in front of all that came later, and is read again."""
        self._running.remove(request)
        self._release(request)
        self._waiting.appendleft(request)
        self.statistics.n_preemptions += 1

    def _write(self, batch: list[_Request], logits: torch.Tensor) -> list[Event]:
        """Choose a token for each text, and let go of the texts that end with it."""
        events = []
        tokens = choose(logits, [request.text for request in batch])
        for request, token in zip(batch, tokens, strict=True):
            piece, generation = request.text.append(token), None
            if request.text.reason is not None:
                generation = request.text.result()
                self._running.remove(request)
                self._release(request)
                self.statistics.n_finished += 1
            events.append(Event(request.number, token, piece, generation))
        self.statistics.n_written += len(events)
        return events

    def _release(self, request: _Request) -> None:
        if request.sequence >= 0:
            self._cache.release(request.sequence)
            request.sequence = -1

    def _column(self, rows: list[list[int]]) -> torch.Tensor:
        return torch.tensor(rows, device=self.model.output_weight.device)

    def _note_blocks(self) -> None:
        held = self.config.n_blocks - self.n_free_blocks
        self.statistics.most_blocks = max(self.statistics.most_blocks, held)


def _common_prefix(one: Sequence[int], other: Sequence[int], limit: int) -> int:
    """How many of the first ``limit`` tokens are equal."""
    for n in range(limit):
        if one[n] != other[n]:
            return n
    return limit
