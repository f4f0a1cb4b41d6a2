"""The page of benchmarks, from the results that `make benchmarks` recorded.

Nothing is measured while a book is built: a result belongs to the machine, the versions and the
day that it was measured on, and the page shows them beside it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llm_course.errors import CourseError

_HEAD = """# Benchmarks

Each figure is a **ratio measured in one run**: ours and its peer take turns, so that a busy machine
slows both. Memory, and trainings that take long, are measured in processes of their own, one after
the other. A row is the median of its repeats. The scripts are in
`benchmarks/`, each can be run alone, and `make benchmarks` records all of them on your machine.

"""
_FIELDS = ("title", "what", "command", "date", "machine", "versions", "columns", "rows")


def render_page(results: Path) -> str:
    """The page, in Markdown, from the JSON files in the folder `results`.

    Raises:
        CourseError: a file is not a benchmark's result.
    """
    found = [section(_read(path)) for path in sorted(results.glob("*.json"))]
    return _HEAD + ("\n".join(found) or "No result has been recorded yet.\n")


def section(result: Mapping[str, Any]) -> str:
    """One benchmark: what was compared, its table, and where and when it was measured."""
    rows = [result["columns"], ["---"] * len(result["columns"]), *result["rows"]]
    table = "\n".join("| " + " | ".join(str(value) for value in row) + " |" for row in rows)
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    verb = "Measured" if result["rows"] else "Not measured"  # this machine had no such device
    return (
        f"## {result['title']}\n\n{result['what']}\n\n{table}\n\n{_goals(result)}"
        f"*{verb} on {result['date']} with `{result['command']}`; {result['machine']}; "
        f"{versions}.*\n"
    )


def _goals(result: Mapping[str, Any]) -> str:
    """Which of the goals the table reaches, a line for each; a miss gives its reason."""
    lines = [_goal(goal, result) for goal in result.get("goals", ())]
    return "".join(f"- {line}\n" for line in lines) + ("\n" if lines else "")


def _goal(goal: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    place = list(result["columns"]).index(goal["column"])
    rows = [row for row in result["rows"] if not goal["rows"] or str(row[0]) in goal["rows"]]
    low, high = goal["least"], goal["most"]
    limit = f"at least {low}" if high is None else f"at most {high}"
    named = f" ({', '.join(goal['rows'])})" if goal["rows"] else ""
    asked = f"Goal for *{goal['column']}*{named}: {limit}"
    missed = [
        row for row in rows
        if (high is None and float(row[place]) < low) or (low is None and float(row[place]) > high)
    ]  # fmt: skip
    if not rows:
        return f"{asked}: not measured."
    if not missed:
        return f"{asked}: **reached**."
    where = ", ".join(f"{row[0]}: {row[place]}" for row in missed)
    return f"{asked}: **missed** ({where}). {goal['reason']}".rstrip()


def _read(path: Path) -> dict[str, Any]:
    """A recorded result."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        missing = [field for field in _FIELDS if field not in result]
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError) as error:
        raise CourseError(f"{path}: not a result ({error}). Fix: make benchmarks") from error
    if missing:
        raise CourseError(f"{path}: lacks {', '.join(missing)}. Fix: make benchmarks")
    return result
