"""Which files of the package a notebook depends on, found without running it.

The result decides when an executed notebook is out of date. It may hold a file too many, never one
too few: a cell that cannot be parsed counts as importing the whole package. A module named in a
string (``python -m llm_course.recipes.train``) counts; other packages do not, the lock covers them.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = "llm_course"
_DOTTED = re.compile(rf"\b{PACKAGE}(?:\.\w+)+")
_COMMAND = re.compile(r"^(\s*)[%!]", re.MULTILINE)


def imported_files(sources: Iterable[str], root: Path) -> list[Path]:
    """The files of ``llm_course`` that `sources` import, directly or not, sorted.

    A package's ``__init__.py`` and the data files beside a module (tables, style sheets) belong
    to it.

    Args:
        sources: the text of each code cell.
        root: the folder that holds ``llm_course``.
    """
    waiting = [name for source in sources for name in _names(_without_commands(source), "", root)]
    modules: set[Path] = set()
    while waiting:
        for path in _module_files(waiting.pop(), root) - modules:
            modules.add(path)
            waiting.extend(_names(path.read_text(encoding="utf-8"), _package_of(path, root), root))
    folders = {path.parent for path in modules}
    return sorted(modules.union(*map(_data_files, folders)))


def _names(source: str, package: str, root: Path) -> Iterator[str]:
    """The dotted names below ``llm_course`` that `source` imports or says in a string.

    Args:
        source: Python text.
        package: the package in which it stands, for relative imports; empty for a notebook.
        root: where every module is looked up when `source` cannot be parsed.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        yield from _every_module(root)
        return
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and id(node) not in prose:
            yield from _DOTTED.findall(str(node.value))


def _base(node: ast.ImportFrom, package: str) -> str:
    """The module after ``from``, a relative one made absolute.

    >>> _base(ast.parse("from ..shapes import check_shape").body[0], "llm_course.model")
    'llm_course.shapes'
    """
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _module_files(name: str, root: Path) -> set[Path]:
    """The files that importing `name` runs; what follows the last module is a symbol."""
    words = name.split(".")
    if words[0] != PACKAGE:
        return set()
    found: set[Path] = set()
    for depth in range(1, len(words) + 1):
        stem = root.joinpath(*words[:depth])
        found.update(p for p in (stem / "__init__.py", stem.with_suffix(".py")) if p.is_file())
    return found


def _every_module(root: Path) -> Iterator[str]:
    """The dotted name of every module of the package."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        yield ".".join(path.relative_to(root).with_suffix("").parts)


def _package_of(path: Path, root: Path) -> str:
    """The dotted name of the package in which the module `path` stands."""
    return ".".join(path.parent.relative_to(root).parts)


def _data_files(folder: Path) -> set[Path]:
    """The files of a package that are not modules, its data folders included."""
    found: set[Path] = set()
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in {".py", ".pyc"} and path.name[0] != ".":
            found.add(path)
        elif path.is_dir() and not _is_code(path):
            found |= _data_files(path)
    return found


def _is_code(folder: Path) -> bool:
    """Whether a folder holds modules or their compiled form."""
    return folder.name == "__pycache__" or any(folder.glob("*.py"))


def _without_commands(source: str) -> str:
    """A cell as plain Python: IPython's ``%`` and ``!`` lines become comments.

    >>> _without_commands("%matplotlib inline\\nx = 1")
    'pass  #matplotlib inline\\nx = 1'
    """
    return _COMMAND.sub(r"\1pass  #", source)
