"""Continuous batching: texts join and leave the running batch at every step.

A batch that waits for its longest text leaves the places of the others empty. Here a text that has
ended makes room at once for one that waits. Keys and values lie in the blocks of a ``PagedCache``,
which the ``Scheduler`` gives out. Leaves out prompts cut into pieces, and the reuse of blocks whose
last text has ended.
"""

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from llm_course.decoding.continuation import Continuation, Generation, GenerationConfig, choose
from llm_course.decoding.engine_parts import EngineConfig, EngineFull, EngineStatistics, Event
from llm_course.decoding.language_model import LanguageModel, last_logits
from llm_course.decoding.paged_cache import PagedCache
from llm_course.decoding.paged_step import PagedStep
from llm_course.decoding.scheduler import Request, Scheduler
from llm_course.decoding.text_stream import Tokenizer


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
        self.statistics = EngineStatistics()
        self._scheduler = Scheduler(self._cache, self.config, self.statistics)

    @property
    def idle(self) -> bool:
        """Whether there is no text to write."""
        return not self._scheduler.waiting and not self._scheduler.running

    @property
    def n_running(self) -> int:
        """Texts of the batch."""
        return len(self._scheduler.running)

    @property
    def n_waiting(self) -> int:
        """Texts that wait for a place."""
        return len(self._scheduler.waiting)

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
                f"got {len(prompt)} + {text.most - 1}. Fix: ask for fewer tokens, shorten the "
                "prompt, or make more blocks."
            )
        if self.n_waiting >= self.config.max_waiting:
            raise EngineFull(
                f"requests: expected at most {self.config.max_waiting} that wait, got one more. "
                "Fix: try again later."
            )
        number = self.statistics.n_submitted
        self.statistics.n_submitted += 1
        self._scheduler.waiting.append(Request(number, text))
        return number

    def cancel(self, number: int) -> bool:
        """Give up a text; returns whether it was still waiting or running.

        Raises:
            ValueError: no text has had this number.
        """
        if not 0 <= number < self.statistics.n_submitted:
            raise ValueError(f"request: expected a number that submit returned, got {number}.")
        was_alive = self._scheduler.cancel(number)
        self.statistics.n_cancelled += was_alive
        return was_alive

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
        events = self._read_prompts()
        batch = self._scheduler.make_room()
        if batch:
            logits = self._read(batch, [request.text.history.written[-1:] for request in batch])
            self.statistics.n_steps += 1
            events += self._write(batch, logits)
        return events

    def _read_prompts(self) -> list[Event]:
        """Let texts join; those that follow each other and are equally long are read in one call.

        The order is kept, so that a text is read after the one whose blocks it shares, or with it:
        in every layer all keys are written before any is looked at.
        """
        events: list[Event] = []
        admitted = list(iter(self._scheduler.admit, None))
        for n_read, group in groupby(admitted, key=lambda pair: pair[1]):
            batch = [request for request, _ in group]
            logits = self._read(batch, [request.text.tokens[-n_read:] for request in batch])
            self.statistics.n_prompt_tokens += n_read * len(batch)
            events += self._write(batch, logits)
        return events

    def _read(self, batch: list[Request], rows: list[list[int]]) -> Tensor:
        """The logits ``b v`` after the last tokens of each text, for which there is room."""
        tokens = torch.tensor(rows, device=self.model.output_weight.device)
        sequences = [request.sequence for request in batch]
        return last_logits(self.model, tokens, PagedStep(self._cache, sequences, tokens.shape[1]))

    def _write(self, batch: list[Request], logits: Tensor) -> list[Event]:
        """Choose a token for each text, and let go of the texts that end with it."""
        events = []
        tokens = choose(logits, [request.text for request in batch])
        for request, token in zip(batch, tokens, strict=True):
            piece, generation = request.text.append(token), None
            if request.text.reason is not None:
                generation = request.text.result()
                self._scheduler.finish(request)
                self.statistics.n_finished += 1
            events.append(Event(request.number, token, piece, generation))
        self.statistics.n_written += len(events)
        return events
