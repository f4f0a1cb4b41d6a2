"""The command `llm-course train`, which is also `python -m llm_course.recipes.train`."""

from pathlib import Path
from typing import Annotated

import typer

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


def train(
    config: Config,
    out: Out = None,
    device: Device = "cpu",
    strategy: StrategyName = None,
    plan: PlanOnly = False,
    force: Force = False,
) -> None:
    """Train a decoder from a recipe; run it again and it goes on from its last checkpoint."""
    from llm_course.recipes.engines.processes import leave_group
    from llm_course.recipes.train import plan as planning
    from llm_course.recipes.train.recipe import load_train_recipe
    from llm_course.recipes.train.run import run
    from llm_course.recipes.train.strategies import make_strategy

    recipe = load_train_recipe(config)
    if plan:
        for line in planning.plan_lines(planning.plan(recipe)):
            typer.echo(line)
        return
    folder = out or Path("build/train") / recipe.name
    strategy = strategy or recipe.parallel.strategy
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
