"""``python -m llm_course.recipes.train``: the command as ``torchrun -m`` can start it."""

import sys

import torch.distributed as dist
import typer

from llm_course.errors import CourseError
from llm_course.recipes.engines.processes import leave
from llm_course.recipes.train.commands import train


def main() -> None:
    """Run the command; a problem that the user can mend is one line."""
    try:
        typer.run(train)
    except CourseError as error:
        print(f"error: {error}", file=sys.stderr)
        if dist.is_initialized():
            leave(2)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
