"""Lost in the middle: how well a fact is found, by where among the others it stands.

A list of facts of one form is read, then one of them is asked for. Only its position changes, so
that a curve that sags tells of position and of nothing else. It is a finding about *accuracy*; that
heads put weight on the first tokens is another (``attention_sinks``).
"""

from collections.abc import Sequence
from statistics import fmean

from llm_course.data.tiny_world.chance import between, generator
from llm_course.long_context.passkey import RetrievalTask
from llm_course.long_context.retrieval import Answer, Cell, count_hits


def facts_task(n_facts: int, position: int, seed: int, n_digits: int = 4) -> RetrievalTask:
    """A list of numbered boxes with a number in each; what is in one of them is asked for.

    The same seed gives the same facts; the one that is asked for is moved to ``position``.

    Args:
        n_facts: length of the list.
        position: where in it the evidence stands, from 0.
        seed: which boxes and numbers.
        n_digits: of the boxes and of what is in them; fewer are easier.

    Raises:
        ValueError: the position is not in the list, or there are not enough numbers.

    Source:
        Liu et al. 2023, arXiv:2307.03172, section 4 (key-value retrieval; its words are ours).

    >>> task = facts_task(3, position=2, seed=0)
    >>> task.text.splitlines()[2] == f"{task.question} {task.answer}."
    True
    """
    if not 0 <= position < n_facts:
        raise ValueError(f"position: expected 0 to n_facts - 1 = {n_facts - 1}, got {position}.")
    low, high = 10 ** (n_digits - 1), 10**n_digits - 1
    if n_digits < 1 or 2 * n_facts > high - low + 1:
        raise ValueError(
            f"n_digits: expected enough for {2 * n_facts} different numbers, got {n_digits}."
        )
    rng = generator(seed, "facts", n_facts)
    numbers: list[str] = []
    while len(numbers) < 2 * n_facts:  # no number twice, be it a box or in one
        number = str(between(rng, low, high))
        if number not in numbers:
            numbers.append(number)
    facts = list(zip(numbers[::2], numbers[1::2], strict=True))
    (box, inside), others = facts[0], facts[1:]
    told = [*others[:position], (box, inside), *others[position:]]
    return RetrievalTask(
        text="\n".join(f"Box {name} holds {number}." for name, number in told),
        question=f"Box {box} holds",
        answer=inside,
        others=tuple(number for _, number in others),
        depth=position / max(n_facts - 1, 1),
    )


def accuracy_by_position(
    answer: Answer,
    n_facts: int,
    positions: Sequence[int],
    n: int,
    seed: int = 0,
    n_digits: int = 4,
) -> list[Cell]:
    """Ask the same ``n`` lists once for each position of the evidence.

    Args:
        answer: what writes a reply to a prompt.
        n_facts: length of each list.
        positions: where the evidence stands, from 0.
        n: lists.
        seed: of the first of them.
        n_digits: as in ``facts_task``.

    Returns:
        One cell a position; its ``n_tokens`` is the number of facts.

    Raises:
        ValueError: there is no list, or a position is not in it.

    >>> def first_line(prompt: str) -> str:
    ...     return prompt.splitlines()[0].split("holds ")[1]
    >>> [cell.accuracy for cell in accuracy_by_position(first_line, 5, [0, 2, 4], n=3)]
    [1.0, 0.0, 0.0]
    """
    if n < 1:
        raise ValueError(f"n: expected 1 or more, got {n}.")
    cells = []
    for position in positions:
        tasks = [facts_task(n_facts, position, seed + i, n_digits) for i in range(n)]
        hits = count_hits(answer, tasks)
        cells.append(Cell(n_tokens=n_facts, depth=tasks[0].depth, hits=hits, n=n))
    return cells


def middle_dip(accuracies: Sequence[float]) -> float:
    """How much lower the middle lies than the ends: their mean minus the mean of the others.

    Args:
        accuracies: by position, three at least.

    Raises:
        ValueError: there is no middle.

    >>> middle_dip([1.0, 0.25, 0.25, 0.5])
    0.5
    """
    if len(accuracies) < 3:
        raise ValueError(f"accuracies: expected 3 or more, got {len(accuracies)}.")
    return fmean((accuracies[0], accuracies[-1])) - fmean(accuracies[1:-1])
