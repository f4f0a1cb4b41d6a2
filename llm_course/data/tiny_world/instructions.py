"""Instructions with an input and the one right output, each kind in three wordings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from llm_course.data.tiny_world.chance import generator, pick
from llm_course.data.tiny_world.simulation import check_level
from llm_course.data.tiny_world.splits import Split, check_split
from llm_course.data.tiny_world.tasks import TASKS

SUM = ("Work out the sum.", "What is the result?", "Calculate this.")
STEPS = ("Work it out step by step.", "Show every step, then give the result.",
         "Calculate this slowly, one step at a time.")  # fmt: skip
WORDINGS: dict[str, tuple[str, ...]] = {
    "repeat": ("Repeat the words.", "Say the same words again.", "Copy this list."),
    "reverse": ("Reverse the words.", "Say the words backwards, last one first.",
                "Turn this list around."),
    "sort": ("Sort the words by the alphabet.", "Put the words in alphabetical order.",
             "Order this list from A to Z."),
    "first": ("Say the first word.", "Which word comes first?", "How does this list begin?"),
    "last": ("Say the last word.", "Which word comes last?", "How does this list end?"),
    "count": ("Count the words.", "How many words are there?", "How long is this list?"),
    "contains": ("Is {word} among these words?", "Does the list have the word {word}?",
                 "Say whether {word} is here."),
    "sum": SUM,
    "sum_steps": STEPS,
    "word_problem": ("Answer with a number.", "Solve the problem.", "Find the number."),
    "word_problem_steps": STEPS,
    "compare": ("Which number is larger?", "Say the larger number.", "Choose the bigger one."),
    "look_up": ("What colour is the {thing}?", "Say the colour of the {thing}.",
                "Which colour does the {thing} have?"),
    "look_up_object": ("Which object is {colour}?", "Name the {colour} thing.",
                       "Find the object that is {colour}."),
    "count_noun": ("Correct the noun.", "Write the right form.", "Say this correctly."),
    "replace": ("Replace {old} with {new}.", "Write {new} instead of {old}.",
                "Tell this about {new}, not about {old}."),
    "find_food": ("Which of these can you eat?", "Find the food.", "Say what a cook could use."),
    "reading": ("Read the story and answer.", "Answer the question about the story.",
                "What does the story tell us?"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """An instruction, what it is applied to, and the one right output.

    Args:
        id: names it by seed, split and number; empty if it was made on its own.
        kind: the task, a key of ``tasks.TASKS``. Hold kinds out to test unseen tasks.
        split: whether its combinations are of training or held out.
        level: the length of the input, 1 to 4.
        instruction: what to do, in one of the kind's wordings.
        wording: which one, 0 to 2. Hold one out to test unseen wordings.
        input: what to do it with.
        output: the exact answer.
        combinations: the pairs that place it in its split.
    """

    id: str
    kind: str
    split: Split
    level: int
    instruction: str
    wording: int
    input: str
    output: str
    combinations: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The instruction as plain training text; chat templates are made elsewhere."""
        return f"Instruction: {self.instruction}\nInput: {self.input}\nAnswer: {self.output}"


def instruction(
    rng: Random,
    kind: str | None = None,
    split: Split = "train",
    level: int = 2,
    id: str = "",
) -> Instruction:
    """Make one instruction; the arguments mean what the fields of ``Instruction`` do.

    Args:
        rng: the only source of chance.
        kind: a key of ``tasks.TASKS``; None for any of them, each as likely.
        split: which combinations it may use.
        level: the length of the input.
        id: how to name it.

    Raises:
        ValueError: the kind, the split or the level does not exist.

    >>> item = instruction(Random(0), "reverse")
    >>> item.input, item.output
    ('puzzle, coin, pear, pillow, tower', 'tower, pillow, pear, coin, puzzle')
    """
    check_split(split)
    check_level(level)
    kind = kind or pick(rng, tuple(TASKS))
    if kind not in TASKS:
        raise ValueError(f"kind: expected one of {tuple(TASKS)}, got {kind!r}.")
    wording, task = pick(rng, (0, 1, 2)), TASKS[kind](rng, split, level)
    return Instruction(
        id=id,
        kind=kind,
        split=split,
        level=level,
        instruction=WORDINGS[kind][wording].format(**dict(task.details)),
        wording=wording,
        input=task.input,
        output=task.output,
        combinations=task.combinations,
    )


def instructions(
    n: int,
    seed: int,
    split: Split = "train",
    *,
    kinds: Sequence[str] = tuple(TASKS),
    level: int = 2,
) -> Iterator[Instruction]:
    """Make n instructions, the kinds in turn; the i-th is the same however many are asked for.

    >>> [item.kind for item in instructions(3, seed=0, kinds=("sum", "sort"))]
    ['sum', 'sort', 'sum']
    """
    for i in range(n):
        kind = kinds[i % len(kinds)]
        key = ("instruction", seed, split, level, kind, i)
        yield instruction(generator(*key), kind, split, level, id="/".join(map(str, key)))
