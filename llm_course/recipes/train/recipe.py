"""A training recipe: the model, the data, the numbers and the outputs of one run, read from TOML.

Everything is checked before anything is computed. What is not given has the default of the class
that it belongs to.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.recipes.fields import Fields
from llm_course.training.config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class DataEntry:
    """What is learnt from: generated text, or token files of ``llm-course data build``.

    Args:
        tokens: the folder that a build wrote; empty for the text of the tiny world.
        n_bytes: of generated text.
        held_out_bytes: of generated text that is never trained on.
        tokenizer_bytes: of the generated text, from which the tokenizer is learnt.
        vocab_size: of that tokenizer, at most.
        held_out_tokens: the last tokens of a folder, which are never trained on.
    """

    tokens: str = ""
    n_bytes: int = 2_000_000
    held_out_bytes: int = 100_000
    tokenizer_bytes: int = 1_000_000
    vocab_size: int = 1024
    held_out_tokens: int = 100_000


@dataclass(frozen=True, kw_only=True)
class RunEntry:
    """What a run writes on its way.

    Args:
        batch_size: rows of ``context_length`` tokens in a batch.
        checkpoint_every: steps between two checkpoints; the last step always has one.
        keep: how many of the latest checkpoints stay.
        sample_every: steps between two samples of text; 0 for one at the end.
        z_weight: of the z-loss.
        recompute: whether the inside of each block is computed twice instead of kept.
        tensorboard: whether an event file is written beside the CSV log.
        plan_only: whether this recipe is only to be planned, not run.
    """

    batch_size: int = 16
    checkpoint_every: int = 100
    keep: int = 2
    sample_every: int = 0
    z_weight: float = 0.0
    recompute: bool = False
    tensorboard: bool = False
    plan_only: bool = False


@dataclass(frozen=True, kw_only=True)
class ParallelEntry:
    """How a run is spread over processes, unless the command says otherwise.

    Args:
        strategy: ``single``, ``ddp``, ``fsdp``, ``tensor`` or ``pipeline``.
        schedule: of a pipeline, ``gpipe`` or ``1f1b``.
        n_microbatches: of a pipeline; as many as there are processes if 0.
        timeout: seconds that a process waits for the others.
    """

    strategy: str = "single"
    schedule: str = "1f1b"
    n_microbatches: int = 0
    timeout: int = 600


@dataclass(frozen=True, kw_only=True)
class TrainRecipe:
    """A run, as plain values.

    Args:
        name: of the run.
        seed: of the weights, the data and its order.
        model: the decoder's table; its vocabulary is the tokenizer's unless it is given.
        data: what is learnt from.
        training: the numbers of the steps.
        run: what is written.
        parallel: how it is spread over processes.
    """

    name: str
    seed: int
    model: Mapping[str, Any]
    data: DataEntry
    training: TrainingConfig
    run: RunEntry
    parallel: ParallelEntry = ParallelEntry()

    def decoder_config(self, vocab_size: int | None = None) -> DecoderConfig:
        """The decoder's configuration, with the vocabulary of a tokenizer.

        Raises:
            CourseError: a field is unknown, missing or out of range.
        """
        given = {} if vocab_size is None else {"vocab_size": vocab_size}
        try:
            return DecoderConfig.from_dict({**self.model, **given})
        except (TypeError, ValueError) as error:
            raise CourseError(f"{self.name}: model: {error} Fix: correct the recipe") from error

    def identity(self, config: DecoderConfig, data_sha256: str, step: int) -> dict[str, Any]:
        """What must be the same for a run to go on from its checkpoint after ``step`` steps.

        On the plateau of ``wsd`` the length of the run is not among it: it may be prolonged, or
        ended by a fall that begins here.
        """
        training = asdict(self.training)
        fall_begins = self.training.n_steps - self.training.decay_steps
        if self.training.schedule == "wsd" and step <= fall_begins:
            del training["n_steps"], training["decay_steps"]
        return {
            "seed": self.seed,
            "model": asdict(config),
            "training": training,
            "data": {"sha256": data_sha256, "batch_size": self.run.batch_size},
            "z_weight": self.run.z_weight,
        }


def load_train_recipe(path: Path) -> TrainRecipe:
    """Read and check a recipe.

    Raises:
        CourseError: the file is missing, is no TOML, or holds something that is no recipe.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"{path}: expected a recipe, found no file. Fix: name a file") from None
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: expected a TOML file, got {error}. Fix: correct it") from error
    data = table.get("data")
    if isinstance(data, dict) and isinstance(data.get("tokens"), str):
        # Beside the recipe, wherever the command is run.
        data["tokens"] = str((path.parent / data["tokens"]).resolve())
    return parse_train_recipe(table, str(path))


def parse_train_recipe(table: Mapping[str, Any], where: str = "recipe") -> TrainRecipe:
    """Check a recipe's table.

    Raises:
        CourseError: a field is missing, unknown, or of another type or value than it may have.

    >>> sizes = {"context_length": 8, "d_model": 4, "n_layers": 1, "n_heads": 2, "d_ff": 3}
    >>> recipe = parse_train_recipe({
    ...     "name": "demo", "model": sizes, "training": {"n_steps": 2, "learning_rate": 0.1}
    ... })
    >>> recipe.decoder_config(vocab_size=9).vocab_size, recipe.run.batch_size
    (9, 16)
    """
    found = Fields(table, where)
    recipe = TrainRecipe(
        name=found.take("name", str),
        seed=found.take("seed", int, 0, least=0),
        model=found.take("model", dict),
        data=_entry(DataEntry, found.take("data", dict, {}), f"{where}: data", _DATA),
        training=_training(found.take("training", dict), f"{where}: training"),
        run=_entry(RunEntry, found.take("run", dict, {}), f"{where}: run", _RUN),
        parallel=_parallel(found.take("parallel", dict, {}), f"{where}: parallel"),
    )
    found.finish()
    recipe.decoder_config(recipe.model.get("vocab_size", 1))
    return recipe


_DATA = {
    "n_bytes": 1, "held_out_bytes": 1, "tokenizer_bytes": 1, "vocab_size": 258,
    "held_out_tokens": 1,
}  # fmt: skip
_RUN = {"batch_size": 1, "checkpoint_every": 1, "keep": 1, "sample_every": 0, "z_weight": 0}


def _entry(kind: type, table: Any, where: str, least: Mapping[str, float]) -> Any:
    """A dataclass of a table: each field of the type of its default."""
    found = Fields(table, where)
    values = {
        field.name: found.take(
            field.name, type(field.default), field.default, least=least.get(field.name)
        )
        for field in fields(kind)
    }
    found.finish()
    return kind(**values)


def _parallel(table: Any, where: str) -> ParallelEntry:
    entry = _entry(ParallelEntry, table, where, {"n_microbatches": 0, "timeout": 1})
    for field, choices in _PARALLEL_CHOICES.items():
        if getattr(entry, field) not in choices:
            raise CourseError(
                f"{where}: {field}: expected one of {', '.join(choices)}, got "
                f"{getattr(entry, field)!r}. Fix: name one"
            )
    return entry


_PARALLEL_CHOICES = {
    "strategy": ("single", "ddp", "fsdp", "tensor", "pipeline"),
    "schedule": ("gpipe", "1f1b"),
}


def _training(table: Mapping[str, Any], where: str) -> TrainingConfig:
    known = {field.name for field in fields(TrainingConfig)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise CourseError(
            f"{where}: expected only the fields {', '.join(sorted(known))}, got {unknown[0]!r}. "
            "Fix: correct its name, or leave it out"
        )
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in table.items()}
    if given.get("max_grad_norm") == 0:
        given["max_grad_norm"] = None  # TOML has no None
    try:
        return TrainingConfig(**given)
    except (TypeError, ValueError) as error:
        raise CourseError(f"{where}: {error} Fix: correct the recipe") from error
