"""What a run leaves behind: its log, samples of text, checkpoints, and at the end the model."""

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.decoding.sampling import SamplingConfig
from llm_course.files import atomic_write
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.tensor_files import write_tensors
from llm_course.provenance import circumstances
from llm_course.recipes.train.corpus import TOKENIZER, Corpus, end_id
from llm_course.recipes.train.recipe import TrainRecipe
from llm_course.tokenizers.tokenizer_json import save
from llm_course.training.checkpoint import checkpoint_path, keep_latest
from llm_course.training.csv_log import CsvLog
from llm_course.training.event_file import EventFile
from llm_course.training.loop import StepRecord
from llm_course.training.state import TrainingState
from llm_course.training.strategy import Strategy

COLUMNS = [
    "step", "loss", "learning_rate", "grad_norm", "n_targets", "evaluation", "loss_scale",
]  # fmt: skip
CHECKPOINTS, LOG, SAMPLES, MODEL, CONFIG, RESULT = (
    "checkpoints", "log.csv", "samples", "model.safetensors", "config.json", "result.json",
)  # fmt: skip


class Outputs:
    """What is done after each step.

    Args:
        recipe: of the run.
        out: its folder.
        corpus: what is read.
        strategy: whose first process writes logs and samples; all of them write checkpoints.
        identity: what a checkpoint after so many steps must share with this run.
        first_step: where the run begins or goes on.
    """

    def __init__(
        self,
        recipe: TrainRecipe,
        out: Path,
        corpus: Corpus,
        strategy: Strategy,
        identity: Callable[[int], dict[str, Any]],
        first_step: int,
    ) -> None:
        self.recipe, self.out, self.corpus = recipe, out, corpus
        self.strategy, self.identity = strategy, identity
        self.first = strategy.rank == 0
        self.log = CsvLog(out / LOG, COLUMNS, first_step) if self.first else None
        events = self.first and recipe.run.tensorboard
        self.events = EventFile(out / "tensorboard") if events else None

    def after_step(self, state: TrainingState, record: StepRecord) -> None:
        """Log the step; write a sample and a checkpoint where they are due."""
        row = {name: getattr(record, name) for name in COLUMNS}
        if self.log is not None:
            self.log.write(row)
        if self.events is not None:
            numbers = {k: v for k, v in row.items() if k != "step" and v is not None}
            self.events.write(numbers, record.step)
        last = state.step == self.recipe.training.n_steps
        if self._due(self.recipe.run.sample_every, state.step, last):
            # A sharded model needs all of its processes to become whole.
            with self.strategy.use(state.model) as model:
                if self.first:
                    text = sample_text(model, self.corpus, self.recipe.seed + state.step)
                    atomic_write(self.out / SAMPLES / f"step-{state.step:08d}.txt", text)
        if self._due(self.recipe.run.checkpoint_every, state.step, last):
            self.checkpoint(state)

    def checkpoint(self, state: TrainingState) -> None:
        """Write a checkpoint, and delete old ones."""
        folder = self.out / CHECKPOINTS
        facts = {
            "run": self.identity(state.step),
            "position": state.step * self.recipe.run.batch_size,
        }
        self.strategy.save(checkpoint_path(folder, state.step), state, facts)
        if self.first:
            keep_latest(folder, self.recipe.run.keep)

    @staticmethod
    def _due(every: int, step: int, last: bool) -> bool:
        return last or (every > 0 and step % every == 0)


def sample_text(model: Decoder, corpus: Corpus, seed: int, n_texts: int = 3) -> str:
    """Texts that a model writes from nothing: the first greedily, the others drawn."""
    end, training = end_id(corpus.tokenizer), model.training
    room = min(model.config.context_length - 1, 160)
    configs = [
        GenerationConfig(max_new_tokens=room, end_ids=(end,), sampling=sampling)
        for sampling in (
            SamplingConfig(temperature=0.0),
            *(SamplingConfig(temperature=0.8, seed=seed + i) for i in range(n_texts - 1)),
        )
    ]
    model.eval()
    try:
        texts = [generate(model, [[end]], config, corpus.tokenizer)[0].text for config in configs]
    finally:
        model.train(training)
    return "\n\n".join(texts) + "\n"


def write_model(
    recipe: TrainRecipe,
    out: Path,
    config: DecoderConfig,
    weights: Mapping[str, Tensor],
    corpus: Corpus,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Write the weights, the configuration, the tokenizer, and what the run was and gave.

    Args:
        recipe: of the run.
        out: its folder.
        config: of the model.
        weights: of the model after the last step, by name.
        corpus: what was read.
        facts: what the run gave.

    Returns:
        the facts with their circumstances, as ``result.json`` holds them.
    """
    write_tensors(out / MODEL, weights, {"name": recipe.name})
    atomic_write(out / CONFIG, json.dumps(asdict(config), indent=1) + "\n")
    save(corpus.tokenizer, out / TOKENIZER)
    result = {
        "name": recipe.name,
        "seed": recipe.seed,
        "data": asdict(recipe.data),
        "data_sha256": corpus.sha256,
        "training": asdict(recipe.training),
        "run": asdict(recipe.run),
        "n_parameters": sum(weight.numel() for weight in weights.values()),
        **facts,
        "threads": torch.get_num_threads(),
        "processor": platform.machine(),
        **circumstances("torch", "numpy"),
    }
    atomic_write(out / RESULT, json.dumps(result, indent=1) + "\n")
    return result
