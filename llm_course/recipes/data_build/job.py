"""A job: one piece of one step, named by text, so that any process or machine can do it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_course.recipes.data_build.recipe import Recipe, parse_recipe
from llm_course.recipes.data_build.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker is told.

    Args:
        step: of the build.
        key: which piece of it.
        recipe: what is built.
        workspace: where; on a cluster, a folder that all machines share.
        arguments: plain values that the step needs.
    """

    step: str
    key: str
    recipe: Recipe
    workspace: Workspace
    arguments: Mapping[str, Any]

    def done(self, record: Mapping[str, Any]) -> None:
        """Leave the record that says that this job is done."""
        self.workspace.done(self.step, self.key, record)

    def to_text(self) -> str:
        """The job as JSON."""
        return json.dumps(
            {
                "step": self.step,
                "key": self.key,
                "recipe": self.recipe.table,
                "out": str(self.workspace.out.resolve()),
                "arguments": dict(self.arguments),
            }
        )


def from_text(text: str) -> Job:
    """The job of a text.

    >>> recipe = parse_recipe({"name": "demo", "corpora": [{"name": "tiny_world"}]})
    >>> job = Job(step="read", key="tiny_world", recipe=recipe, workspace=Workspace(Path("out")),
    ...           arguments={})
    >>> from_text(job.to_text()).key
    'tiny_world'
    """
    told = json.loads(text)
    return Job(
        step=told["step"],
        key=told["key"],
        recipe=parse_recipe(told["recipe"]),
        workspace=Workspace(Path(told["out"])),
        arguments=told["arguments"],
    )
