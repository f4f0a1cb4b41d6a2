"""How often a reader finds what was hidden, for each length of the text and each depth.

The reader is a function from a prompt to a reply: a model, a person, a rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llm_course.long_context.passkey import RetrievalTask, longest_that_fits, passkey_found

Answer = Callable[[str], str]
"""What a reader writes after a prompt."""

Make = Callable[[int, float, int], RetrievalTask]
"""A task of so many sentences, with the needle at a depth, from a seed (``passkey_task``)."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of the heat map.

    Args:
        n_tokens: room that the prompts had.
        depth: where the needle lay.
        hits: how many replies were right.
        n: of how many.
    """

    n_tokens: int
    depth: float
    hits: int
    n: int

    @property
    def accuracy(self) -> float:
        """The share of right replies."""
        return self.hits / self.n


def retrieval_grid(
    answer: Answer,
    make: Make,
    count: Callable[[str], int],
    lengths: Sequence[int],
    depths: Sequence[float],
    n: int,
    seed: int = 0,
) -> list[Cell]:
    """Ask ``n`` tasks for each length and depth; all cells use the same seeds.

    Args:
        answer: the reader.
        make: ``passkey_task`` or ``multi_key_task``, perhaps with its numbers given.
        count: tokens of a text.
        lengths: rooms for the prompt, in tokens.
        depths: where the needle lies, from 0 to 1.
        n: tasks of a cell.
        seed: of the first of them.

    Returns:
        The cells, by length and then by depth.

    Raises:
        ValueError: there is nothing to ask, or a length has no room for a task.

    >>> from llm_course.long_context.passkey import passkey_task
    >>> def sees_the_end(prompt: str) -> str:  # a reader with a window of 100 characters
    ...     return prompt[-100:].split("passkey is ")[-1][:5]
    >>> cells = retrieval_grid(sees_the_end, passkey_task, len, [400], [0.0, 1.0], n=4)
    >>> [cell.accuracy for cell in cells]
    [0.0, 1.0]
    """
    if not lengths or not depths or n < 1:
        raise ValueError(
            "lengths, depths, n: expected at least one of each, "
            f"got {len(lengths)}, {len(depths)}, {n}."
        )
    cells = []
    for n_tokens in lengths:
        for depth in depths:
            tasks = [
                longest_that_fits(
                    lambda size, d=depth, s=seed + i: make(size, d, s), count, n_tokens
                )
                for i in range(n)
            ]
            cells.append(Cell(n_tokens=n_tokens, depth=depth, hits=count_hits(answer, tasks), n=n))
    return cells


def count_hits(answer: Answer, tasks: Sequence[RetrievalTask]) -> int:
    """How many tasks a reader gets right.

    >>> from llm_course.long_context.passkey import passkey_task
    >>> count_hits(lambda prompt: "no idea", [passkey_task(3, 0.5, seed=0)])
    0
    """
    return sum(passkey_found(answer(task.prompt), task.answer) for task in tasks)
