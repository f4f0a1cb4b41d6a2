"""The command `llm-course train`, which is also `python -m llm_course.recipes.train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from llm_course.recipes.train.recipe import TrainRecipe

Config = Annotated[Path, typer.Option(help="The recipe, a TOML file of configs/.")]
Out = Annotated[
    Path | None, typer.Option(help="Where the result comes. Default: build/train/NAME.")
]
Device = Annotated[str, typer.Option(help="cpu or cuda: where it computes.")]
StrategyName = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        help="How steps are spread over processes: single, or under torchrun ddp, fsdp, tensor or "
        "pipeline. Default: the recipe's.",
    ),
]
PlanOnly = Annotated[
    bool, typer.Option("--plan", help="Say what the run would need, and do not run it.")
]
Force = Annotated[bool, typer.Option("--force", help="Delete what another run left there.")]


Gpus = Annotated[int, typer.Option(help="With --plan: how many GPUs; 0 for one process.")]
Zero = Annotated[int, typer.Option(help="With --plan: ZeRO's stage, 0 (DDP) to 3 (FSDP2).")]
Tensor = Annotated[int, typer.Option(help="With --plan: parts of each matrix.")]
Pipeline = Annotated[int, typer.Option(help="With --plan: stages.")]


def train(
    config: Config,
    out: Out = None,
    device: Device = "cpu",
    strategy: StrategyName = None,
    plan: PlanOnly = False,
    force: Force = False,
    gpus: Gpus = 0,
    zero: Zero = 0,
    tensor: Tensor = 1,
    pipeline: Pipeline = 1,
) -> None:
    """Train a decoder from a recipe; run it again and it goes on from its last checkpoint."""
    from llm_course.recipes.train.recipe import load_train_recipe

    recipe = load_train_recipe(config)
    if not plan:
        _train(recipe, config, out, device, strategy or recipe.parallel.strategy, force)
        return
    for line in _plan(recipe, gpus, zero=zero, tensor=tensor, pipeline=pipeline):
        typer.echo(line)


def _plan(recipe: "TrainRecipe", n_gpus: int, **layout: int) -> list[str]:
    """The plan for one process, and for GPUs where they are given."""
    from llm_course.recipes.train.plan import plan, plan_lines
    from llm_course.recipes.train.spread import Machines, spread, spread_lines

    lines = plan_lines(plan(recipe))
    if n_gpus or set(layout.values()) - {0, 1} or layout["zero"]:
        parallel = recipe.parallel
        machines = Machines(n_gpus=n_gpus, n_microbatches=parallel.n_microbatches, **layout)
        lines += spread_lines(spread(recipe, machines), machines)
    return lines


def _train(
    recipe: "TrainRecipe", config: Path, out: Path | None, device: str, strategy: str, force: bool
) -> None:
    """Train, and tell what came of it."""
    from llm_course.recipes.engines.processes import leave_group
    from llm_course.recipes.train.run import run
    from llm_course.recipes.train.strategies import make_strategy

    folder = out or Path("build/train") / recipe.name
    made = make_strategy(strategy, device, recipe.parallel)
    started = (
        "llm-course train"
        if strategy == "single"
        else f"torchrun --nproc_per_node={made.world_size} -m llm_course.recipes.train"
    )
    result = run(
        recipe,
        folder,
        strategy=made,
        force=force,
        tell=typer.echo,
        command=f"{started} --config {config} --device {device} --strategy {strategy}",
    )
    if made.world_size > 1:
        leave_group()
    if result:
        typer.echo(
            f"held-out loss {result['held_out_loss']:.4f} nats a token, "
            f"{result['held_out_bits_per_byte']:.4f} bits a byte"
        )
        typer.echo(f"Written to {folder}: model.safetensors, config.json, tokenizer.json, log.csv")
