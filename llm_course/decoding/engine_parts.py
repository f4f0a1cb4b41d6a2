"""What goes into an engine and what comes out: its sizes, its counts, its events."""

from dataclasses import dataclass

from llm_course.decoding.continuation import Generation
from llm_course.model.config_parts import check_size


@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """How much an engine holds.

    Args:
        n_blocks: blocks of the cache, for all texts together.
        block_size: tokens a block.
        max_running: the most texts of a batch.
        max_waiting: the most texts that wait; one more is refused.
        share_prefixes: whether equal beginnings are kept once.

    Raises:
        ValueError: a size is not positive.
    """

    n_blocks: int = 256
    block_size: int = 16
    max_running: int = 16
    max_waiting: int = 1024
    share_prefixes: bool = True

    def __post_init__(self) -> None:
        for name in ("n_blocks", "block_size", "max_running", "max_waiting"):
            check_size(name, getattr(self, name))


@dataclass
class EngineStatistics:
    """What an engine has done, in counts.

    Args:
        n_submitted: texts that were accepted.
        n_finished: texts that came to their end.
        n_cancelled: texts that were given up.
        n_steps: calls of the model for the whole batch.
        n_prompt_tokens: tokens that were read to begin a text, or to begin it again.
        n_shared_tokens: tokens that were not read because another text had them in the cache.
        n_written: tokens that were written.
        n_preemptions: times that a text had to give back its blocks.
        most_blocks: the most blocks that were held at a time.
    """

    n_submitted: int = 0
    n_finished: int = 0
    n_cancelled: int = 0
    n_steps: int = 0
    n_prompt_tokens: int = 0
    n_shared_tokens: int = 0
    n_written: int = 0
    n_preemptions: int = 0
    most_blocks: int = 0


class EngineFull(RuntimeError):
    """As many texts wait as may; nothing was changed."""


@dataclass(frozen=True)
class Event:
    """One token of one text.

    Args:
        request: the text's number.
        token: the new token.
        text: the text that became certain with it; it may be empty.
        generation: the whole text, if it ended with this token.
    """

    request: int
    token: int
    text: str
    generation: Generation | None
