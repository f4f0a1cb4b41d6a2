"""Long context as experiments: what the lesson does, and ``long_context_tables`` does for longer.

The course checkpoint reads stories of the tiny world and is tuned to longer ones; SmolLM2 is asked
for what it has read, in one context or in windows side by side.
"""

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_course.data.tiny_world.splits import Split
from llm_course.data.tiny_world.text import documents
from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.decoding.language_model import LanguageModel
from llm_course.long_context.parallel_windows import cut_windows, parallel_logits
from llm_course.long_context.passkey import RetrievalTask, multi_key_task
from llm_course.long_context.position_loss import token_losses
from llm_course.long_context.retrieval import Answer
from llm_course.long_context.rope_scaling import ScalingKind
from llm_course.long_context.stages import Stage, plan_stages, train_in_stages
from llm_course.model.decoder import Decoder
from llm_course.pretrained.pretrained_model import PretrainedModel
from llm_course.training.accumulation import Batch
from llm_course.training.config import TrainingConfig
from llm_course.training.loss import shift

_ENDLESS = 10**12  # bytes; whoever reads the stream stops


def world_tokens(
    pretrained: PretrainedModel, n_tokens: int, split: Split = "held_out", seed: int = 0
) -> list[int]:
    """Stories of the tiny world as token ids, one after the other, as the checkpoint learnt them.

    Args:
        pretrained: whose tokenizer and end token are used.
        n_tokens: how many.
        split: of training or held out.
        seed: of the stories; the checkpoint learnt from 0.
    """
    return list(islice(world_stream(pretrained, split, seed), n_tokens))


def world_stream(
    pretrained: PretrainedModel, split: Split = "held_out", seed: int = 0
) -> Iterator[int]:
    """The same without end."""
    for document in documents(_ENDLESS, seed, split):
        yield from (*pretrained.tokenizer.encode(document.text), pretrained.end_id)


def end_loss(model: LanguageModel, rows: Tensor, context: int, n_last: int = 64) -> Tensor:
    """The mean loss of the last tokens of each row, read with ``context`` tokens before its end.

    The tokens that are foretold are the same for every context: only what is read before differs.

    Shapes:
        rows ``b t``; returns ``b``.
    """
    return token_losses(model, rows[:, -context:])[:, -n_last:].mean(dim=1)


def batches_from(
    tokens: Sequence[int], seed: int, device: torch.device | str = "cpu"
) -> Callable[[Stage], Iterator[Batch]]:
    """For each stage, windows of its length at random places of a text."""
    data = torch.tensor(tokens)

    def batches(stage: Stage) -> Iterator[Batch]:
        length = stage.context_length
        generator = torch.Generator().manual_seed(seed * 1_000_003 + length)
        while True:
            starts = torch.randint(len(data) - length, (stage.batch_size,), generator=generator)
            rows = torch.stack([data[i : i + length + 1] for i in starts.tolist()])
            yield shift(rows.to(device))

    return batches


def tune(
    model: Decoder,
    batches: Callable[[Stage], Iterator[Batch]],
    *,
    target: int,
    n_steps: int,
    scaling: ScalingKind | None = None,
    growth: int = 4,
    tokens_per_step: int = 1024,
    evaluate: Callable[[Decoder], float] | None = None,
    evaluate_every: int = 0,
) -> tuple[Decoder, dict[int, float]]:
    """Train a copy of a model for a longer context, and what was measured after which step.

    Args:
        model: what is copied.
        batches: for each stage.
        target: tokens of the longest text that it is to read.
        n_steps: of all stages together.
        scaling: how positions are stretched; not at all if not given.
        growth: how many times longer each stage is than the one before.
        tokens_per_step: of a batch, whatever its length.
        evaluate: measured every so many steps of a stage.
        evaluate_every: how many.
    """
    stages = plan_stages(
        model.config.context_length, target,
        n_steps=n_steps, tokens_per_step=tokens_per_step, growth=growth,
    )  # fmt: skip
    config = TrainingConfig(
        n_steps=n_steps, learning_rate=1e-3, warmup_steps=3, evaluate_every=evaluate_every
    )
    longer, records = train_in_stages(
        copy.deepcopy(model), stages, batches, config, scaling=scaling, evaluate=evaluate
    )
    steps = [step for stage in records for step in stage.history]
    found = {n + 1: s.evaluation for n, s in enumerate(steps) if s.evaluation is not None}
    return longer.eval(), found


def count_tokens(pretrained: PretrainedModel, text: str) -> int:
    """How many tokens a text has."""
    return len(pretrained.tokenizer.encode(text))


def greedy_answer(pretrained: PretrainedModel, n_new: int = 8) -> Answer:
    """A reader that continues a prompt with its most likely tokens."""
    config = GenerationConfig(max_new_tokens=n_new)

    def answer(prompt: str) -> str:
        ids = pretrained.tokenizer.encode(prompt)
        return generate(pretrained.model, [ids], config, pretrained.tokenizer)[0].text or ""

    return answer


def owners_task(n_facts: int, position: int, seed: int, n_digits: int = 4) -> RetrievalTask:
    """A list of animals with a number each; that of one is asked for, and ``position`` is its line.

    The same seed gives the same facts. Names are easier than numbered boxes
    (``lost_in_the_middle.facts_task``), which a small model does not find at all.

    >>> task = owners_task(3, position=1, seed=0)
    >>> task.text.splitlines()[1] == f"{task.question} {task.answer}."
    True
    """
    task = multi_key_task(1, 0.0, seed, n_facts, n_digits)
    asked = f"{task.question} {task.answer}."
    others = [fact for fact in re.findall(r"The number of .*?\.", task.text) if fact != asked]
    told = [*others[:position], asked, *others[position:]]
    return replace(task, text="\n".join(told), depth=position / max(n_facts - 1, 1))


def windowed_answer(
    pretrained: PretrainedModel, task: RetrievalTask, n_windows: int
) -> tuple[bool, float]:
    """Whether a model in parallel windows would write the answer, and its surprise in nats a token.

    The lines of the text are dealt out to the windows in order. Greedy search writes the answer if
    and only if each of its tokens is the most likely one after those before it.
    """
    lines, encode = task.text.splitlines(), pretrained.tokenizer.encode
    parts = cut_windows(range(len(lines)), n_windows)
    windows = [encode("\n".join(lines[i] for i in part)) for part in parts]
    question, answer = encode(f"\n{task.question}"), encode(f" {task.answer}.")
    with torch.no_grad():
        logits = parallel_logits(pretrained.model, windows, question + answer[:-1])
    logits = logits[-len(answer) :].float().cpu()
    surprise = F.cross_entropy(logits, torch.tensor(answer)).item()
    return logits.argmax(dim=-1).tolist() == answer, surprise


def sampled(logits: Tensor, generator: torch.Generator) -> int:
    """A token drawn by its probability."""
    return int(torch.multinomial(logits.softmax(dim=-1).cpu(), 1, generator=generator))
