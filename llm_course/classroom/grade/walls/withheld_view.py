"""The sandbox's view of the package: the functions that a student is to write are not in it.

A withheld function keeps its name, its signature and its place; its body raises. The module still
imports, and everything else in it works. Names that lie outside the copied packages (a library's
ready answer) cannot be cut out of a file; `student_side` replaces them before any answer is read.
"""

import ast
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from llm_course.errors import CourseError

MARK = "withheld in grading"
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def build_view(sources: Iterable[Path], withheld: Sequence[str], target: Path) -> list[str]:
    """Copy packages and modules to `target` without what is withheld.

    Args:
        sources: package folders and module files; each is seen by its own name.
        withheld: dotted names of functions, methods or classes, ``llm_course.shapes.check_shape``.
        target: a new folder.

    Returns:
        The names that lie outside `sources`, for `student_side` to replace.

    Raises:
        CourseError: a name should be in one of the sources, and is not there.
    """
    roots: dict[str, Path] = {}
    target.mkdir(parents=True)
    for source in sources:
        place = target / source.name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, place, **({"ignore": _IGNORED} if source.is_dir() else {}))
        roots[source.stem] = place
    inside: dict[Path, dict[str, str]] = defaultdict(dict)
    outside = []
    for name in withheld:
        if name.partition(".")[0] in roots:
            path, qualified = _locate(target, name)
            inside[path][qualified] = name
        else:
            outside.append(name)
    for path, names in inside.items():
        path.write_text(without(path.read_text(encoding="utf-8"), names, path), encoding="utf-8")
    return outside


def without(source: str, names: Mapping[str, str], path: Path | str = "<module>") -> str:
    """A module's code in which the bodies of some functions raise.

    Args:
        source: the code.
        names: the functions, methods and classes, and what to call each in its error.
        path: where the code is from, for messages.

    >>> print(without("def two():\\n    return 2", {"two": "numbers.two"}))
    def two():
        raise RuntimeError('withheld in grading: numbers.two')
    """
    tree = ast.parse(source)
    for qualified, name in names.items():
        node = _find(tree, qualified.split("."))
        if node is None:
            raise CourseError(
                f"{path}: expected a function {qualified} to withhold, got none. "
                "Fix: correct its name."
            )
        _empty(node, name)
    return ast.unparse(ast.fix_missing_locations(tree))


def _locate(target: Path, name: str) -> tuple[Path, str]:
    """The copied file that defines a dotted name, and the name within it."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        stem = target.joinpath(*parts[:cut])
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path, ".".join(parts[cut:])
    raise CourseError(f"{name}: expected a name of the package to withhold. Fix: correct it.")


def _find(tree: ast.AST, parts: Sequence[str]) -> ast.FunctionDef | ast.ClassDef | None:
    """The definition of a name within a module, through classes."""
    for node in getattr(tree, "body", []):
        if getattr(node, "name", None) == parts[0] and isinstance(
            node, ast.FunctionDef | ast.ClassDef
        ):
            return node if len(parts) == 1 else _find(node, parts[1:])
    return None


def _empty(node: ast.FunctionDef | ast.ClassDef, name: str) -> None:
    """Let a function, or every method of a class, raise instead of doing its work."""
    stop = ast.parse(f"raise RuntimeError({f'{MARK}: {name}'!r})").body
    if isinstance(node, ast.FunctionDef):
        node.body, node.decorator_list = stop, []
        return
    for method in node.body:
        if isinstance(method, ast.FunctionDef):
            method.body, method.decorator_list = stop, []
    node.decorator_list = []
    if not any(isinstance(method, ast.FunctionDef) for method in node.body):
        node.body = ast.parse(f"def __init__(self, *a, **k):\n    {ast.unparse(stop[0])}").body
