"""What exists in the repository: symbols, tests, sections, exercises, pages, runs on a GPU.

Everything is read from text. Nothing is imported and no model code runs, so a check takes a second.
"""

import ast
import json
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from nbformat import NotebookNode

from llm_course.classroom.author import chapter_text
from llm_course.classroom.cells import grade_id
from llm_course.classroom.course import Notebook, notebooks
from llm_course.classroom.execute.cache import source_hash

GPU_REPORT = "book/gpu-report.json"

GpuState = Literal["yes", "stale", "failed", "missing"]

_HEADING = re.compile(r"^(?:\((?P<label>[\w.-]+)\)=\n+)?#{1,6} +(?P<title>.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Evidence:
    """The repository at `root`, asked for what it holds."""

    root: Path
    _read: dict[str, NotebookNode] = field(default_factory=dict, repr=False)

    @cached_property
    def notebooks(self) -> dict[str, Notebook]:
        """The authored notebooks by key."""
        return {notebook.key: notebook for notebook in notebooks(self.root)}

    def authored(self, key: str) -> NotebookNode:
        """A notebook as it was written."""
        if key not in self._read:
            self._read[key] = chapter_text.read(self.notebooks[key])
        return self._read[key]

    def sections(self, key: str) -> dict[str, str]:
        """The headings of a notebook, each with the label before it (or an empty text)."""
        return {
            heading["title"]: heading["label"] or ""
            for cell in self.authored(key).cells
            if cell.cell_type == "markdown"
            for heading in _HEADING.finditer(cell.source)
        }

    def lacks(self, key: str, exercise: str) -> str:
        """What an exercise lacks: a cell or its wrong answers; empty when it is whole."""
        ids = set(map(grade_id, self.authored(key).cells))
        test = re.sub(r"^ex-", "test-", exercise)
        for name in (exercise, test, f"{test}-hidden"):
            if name not in ids:
                return f"a cell {name} in {key}"
        file = self.notebooks[key].wrong_answers / f"{exercise.replace('-', '_')}.py"
        return "" if file.is_file() else f"a file of wrong answers {file.relative_to(self.root)}"

    @cached_property
    def pages(self) -> set[str]:
        """The pages that the book's table of contents names."""
        path = self.root / "book" / "_toc.yml"
        return set(_files_in(yaml.safe_load(path.read_text(encoding="utf-8"))))

    @cached_property
    def gpu_report(self) -> dict[str, Any]:
        """The recorded run on a GPU, empty when there is none or it cannot be read."""
        try:
            found = json.loads((self.root / GPU_REPORT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        whole = isinstance(found, dict) and isinstance(found.get("notebooks"), dict)
        return found if whole else {}

    def gpu_run(self, key: str) -> dict[str, Any]:
        """What the report says of a notebook, empty when it says nothing."""
        found = self.gpu_report.get("notebooks", {}).get(key)
        return found if isinstance(found, dict) else {}

    def gpu(self, key: str) -> GpuState:
        """Whether a notebook ran on a GPU as it stands now."""
        run = self.gpu_run(key)
        if not run:
            return "missing"
        if run.get("source") != source_hash(self.notebooks[key]):
            return "stale"
        return "yes" if run.get("status") == "executed" else "failed"


def symbol_exists(root: Path, dotted: str) -> bool:
    """Whether a module of the package defines a symbol, or is it.

    Args:
        root: the repository.
        dotted: such as ``llm_course.model.norms.RMSNorm`` or ``….RMSNorm.forward``.
    """
    words = dotted.split(".")
    for depth in range(len(words), 0, -1):
        stem = root.joinpath(*words[:depth])
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return words[0] == "llm_course" and _defines(path, words[depth:])
    return False


def proof_exists(root: Path, name: str) -> bool:
    """Whether a test such as ``tests/model/test_norms.py::test_rms_norm`` is defined."""
    file, _, inner = name.partition("::")
    words = inner.split("::")
    is_test = words[-1].startswith("test") and file.startswith("tests/")
    return is_test and (root / file).is_file() and _defines(root / file, words)


def _defines(path: Path, words: list[str]) -> bool:
    """Whether a file defines a name, or a name in a class."""
    names = _definitions(path, path.stat().st_mtime_ns)
    return not words or ".".join(words) in names


@lru_cache(maxsize=256)
def _definitions(path: Path, _modified: int) -> frozenset[str]:
    """The names at the top of a module, and those of its classes' members."""
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")), ""))


def _names(node: ast.Module | ast.ClassDef, prefix: str) -> list[str]:
    """The names that the body of a module or class binds."""
    found = []
    for item in node.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(prefix + item.name)
        if isinstance(item, ast.ClassDef):
            found += _names(item, f"{prefix}{item.name}.")
        targets = item.targets if isinstance(item, ast.Assign) else []
        targets = [item.target] if isinstance(item, ast.AnnAssign) else targets
        found += [prefix + target.id for target in targets if isinstance(target, ast.Name)]
    return found


def _files_in(toc: Any) -> list[str]:
    """Every page in a table of contents, at any depth."""
    if isinstance(toc, list):
        return [name for entry in toc for name in _files_in(entry)]
    if not isinstance(toc, dict):
        return []
    here = [toc[key] for key in ("root", "file") if isinstance(toc.get(key), str)]
    return here + [name for value in toc.values() for name in _files_in(value)]
