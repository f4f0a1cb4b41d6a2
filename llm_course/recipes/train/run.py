"""One run from its recipe to a model, or on from its last checkpoint."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from llm_course.errors import CourseError
from llm_course.lock import locked
from llm_course.model.attention import fused_attention
from llm_course.model.decoder import Decoder
from llm_course.recipes.engines.processes import others_answer
from llm_course.recipes.train.corpus import Corpus, open_corpus
from llm_course.recipes.train.outputs import CHECKPOINTS, RESULT, Outputs, write_model
from llm_course.recipes.train.recipe import TrainRecipe
from llm_course.recipes.train.rows import held_out_batches, shuffled_batches
from llm_course.training.activation_checkpointing import checkpoint_activations
from llm_course.training.checkpoint import checkpoint_step, find_checkpoints
from llm_course.training.evaluation import bits_per_byte, mean_loss
from llm_course.training.loop import train
from llm_course.training.loss import next_token_loss
from llm_course.training.state import TrainingState, begin_training
from llm_course.training.strategy import SingleProcess, Strategy

Tell = Callable[[str], None]
Identity = Callable[[int], dict[str, Any]]
"""What a checkpoint after so many steps must share with a run."""


def run(
    recipe: TrainRecipe,
    out: Path,
    *,
    strategy: Strategy | None = None,
    force: bool = False,
    tell: Tell = lambda line: None,
    command: str = "",
) -> dict[str, Any]:
    """Train what a recipe says, into a folder; run it again and it goes on.

    The folder then holds ``data/``, ``checkpoints/``, ``samples/``, ``log.csv``, and at the end
    ``model.safetensors``, ``config.json``, ``tokenizer.json`` and ``result.json``.

    Args:
        recipe: what is trained.
        out: where.
        strategy: how a step is spread over processes; one process on the CPU if not given.
        force: delete what another run left there.
        tell: told a line now and then.
        command: what a reader types to make this run again; it is kept in the result.

    Returns:
        what ``result.json`` holds.

    Raises:
        CourseError: the recipe is a plan, another run is at work there, or the folder holds the
            data or a checkpoint of another run or a damaged one.
        ProcessLost: another process of this run has died, or is too slow.
    """
    if recipe.run.plan_only:
        raise CourseError(f"{recipe.name}: expected a recipe to run, got a plan. Fix: add --plan")
    strategy = strategy or SingleProcess()
    with others_answer(strategy.rank, strategy.world_size):
        if strategy.rank != 0:  # one process holds the lock, and speaks, for all
            return _run(recipe, out, strategy, lambda line: None, command)
        with locked(out, who="training run"):
            if force:
                _clear(out)
            return _run(recipe, out, strategy, tell, command)


def _run(
    recipe: TrainRecipe, out: Path, strategy: Strategy, tell: Tell, command: str
) -> dict[str, Any]:
    corpus = _corpus(recipe, out / "data", strategy)
    model, n_parameters, state, identity = _begin(recipe, corpus, strategy)
    _resume(out, state, strategy, identity, tell)
    tell(
        f"{n_parameters:,} parameters; {corpus.train.n_tokens:,} tokens to learn from; "
        f"step {state.step} of {recipe.training.n_steps}"
    )
    loss = partial(next_token_loss, z_weight=recipe.run.z_weight)
    history = train(
        model,
        shuffled_batches(corpus.train, recipe.run.batch_size, recipe.seed, state.step),
        recipe.training,
        loss=loss,
        evaluate=partial(held_out_loss, corpus=corpus),
        strategy=strategy,
        state=state,
        after_step=Outputs(recipe, out, corpus, strategy, identity, state.step).after_step,
    )
    weights = strategy.gather(model)
    held_out = history[-1].evaluation if history else _evaluated(model, corpus, strategy)
    if strategy.rank != 0:
        return {}
    n_bytes = _held_out_bytes(corpus)
    facts = {
        "command": command,
        "held_out_loss": held_out,
        "held_out_bits_per_byte": bits_per_byte(held_out, corpus.held_out.n_tokens, n_bytes),
        "held_out_tokens": corpus.held_out.n_tokens,
        "tokens": recipe.training.n_steps * recipe.run.batch_size * model.config.context_length,
    }
    return write_model(recipe, out, model.config, weights, corpus, facts)


def _corpus(recipe: TrainRecipe, folder: Path, strategy: Strategy) -> Corpus:
    """The data, which the first process makes before the others look for them."""
    length = recipe.decoder_config(recipe.model.get("vocab_size", 1)).context_length
    made = open_corpus(recipe, folder, length) if strategy.rank == 0 else None
    strategy.wait()
    return made or open_corpus(recipe, folder, length)


def held_out_loss(model: Decoder, corpus: Corpus, batch_size: int = 16) -> float:
    """The mean loss on the rows that are not trained on, without a z-loss."""
    return mean_loss(model, held_out_batches(corpus.held_out, batch_size))


def _begin(
    recipe: TrainRecipe, corpus: Corpus, strategy: Strategy
) -> tuple[Decoder, int, TrainingState, Identity]:
    """The model with its first weights, how many it has, its state, and what identifies the run."""
    config = recipe.decoder_config(len(corpus.tokenizer))
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    model = Decoder(config, fused_attention, generator)
    if recipe.run.recompute:
        checkpoint_activations(model)
    n_parameters = model.n_parameters  # of which a process may keep a part
    state = begin_training(model, recipe.training, strategy.prepare(model))
    return model, n_parameters, state, partial(recipe.identity, config, corpus.sha256)


def _resume(
    out: Path, state: TrainingState, strategy: Strategy, identity: Identity, tell: Tell
) -> None:
    """Go on from the latest checkpoint, if there is one."""
    for path in find_checkpoints(out / CHECKPOINTS)[-1:]:
        strategy.load(path, state, {"run": identity(checkpoint_step(path))})
        tell(f"on from {path.name}")


def _evaluated(model: Decoder, corpus: Corpus, strategy: Strategy) -> float:
    """The held-out loss of a run that was complete before it was started again."""
    with strategy.use(model) as whole:
        training = whole.training
        whole.eval()
        try:
            return held_out_loss(whole, corpus)
        finally:
            whole.train(training)


def _held_out_bytes(corpus: Corpus) -> int:
    """Bytes of the text of the held-out rows."""
    rows = corpus.held_out
    ids, _ = rows.stream.read(rows.start, rows.start + rows.n_tokens)
    return len(corpus.tokenizer.decode(ids.tolist(), skip_special=True).encode())


def _clear(out: Path) -> None:
    """Delete what a run left, and nothing else."""
    for name in ("data", CHECKPOINTS, "samples", "tensorboard"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("log.csv", "model.safetensors", "config.json", "tokenizer.json", RESULT):
        (out / name).unlink(missing_ok=True)
