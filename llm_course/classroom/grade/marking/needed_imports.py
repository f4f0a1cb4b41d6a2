"""The part of a notebook's set-up that its answers and tests use.

The set-up cell imports what every lesson cell needs, drawing and pretrained models included.
Grading runs answers and tests only; leaving out the other imports saves seconds a submission.
"""

import ast
from collections.abc import Iterable, Sequence

# What serves the page only: nothing that is graded depends on it.
FOR_THE_PAGE = ("llm_course.figures", "llm_course.classroom", "matplotlib", "IPython")
# With one of these a cell can reach names that do not stand in it.
REACHES = {"globals", "locals", "vars", "eval", "exec", "compile", "get_ipython", "__import__"}


def needed(setup: Sequence[str], users: Iterable[str]) -> list[str]:
    """The set-up cells without the imports that nobody uses and the lines that serve the page.

    Args:
        setup: the sources of the set-up cells.
        users: the sources of everything that will run after them.

    >>> needed(["import math\\nimport torch\\nfrom matplotlib import pyplot as plt"], ["math.pi"])
    ['import math']
    """
    trees = [ast.parse(source) for source in setup]
    page = {name for tree in trees for name in _bound(tree, FOR_THE_PAGE)}
    kept = [[node for node in tree.body if not _for_the_page(node, page)] for tree in trees]
    used = _names(users)
    if used is None:
        used = {name for tree in trees for name in _bound(tree, ("",))} - page
    for body in kept:
        for node in body:
            if not isinstance(node, ast.Import | ast.ImportFrom):
                used |= {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return ["\n".join(_written(body, used)) for body in kept]


def _names(users: Iterable[str]) -> set[str] | None:
    """All names that stand in the users' code; None when it can reach more, or is not Python."""
    names: set[str] = set()
    for source in users:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return None if names & REACHES else names


def _bound(tree: ast.Module, prefixes: Sequence[str]) -> Iterable[str]:
    """The names that a module's imports bind, of packages that begin with one of `prefixes`."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            for alias in node.names:
                origin = module or alias.name
                if any(not p or origin == p or origin.startswith(f"{p}.") for p in prefixes):
                    yield alias.asname or alias.name.partition(".")[0]


def _for_the_page(node: ast.stmt, page: set[str]) -> bool:
    """Whether a statement is an import for the page, or a line that uses one, or prints."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        alone = ast.Module(body=[node], type_ignores=[])
        return set(_bound(alone, ("",))) <= page
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return bool(used & page) or (isinstance(node, ast.Expr) and "print" in used)


def _written(body: Sequence[ast.stmt], used: set[str]) -> Iterable[str]:
    """The statements as code, each import with the names that are used."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            star = any(alias.name == "*" for alias in node.names)
            node.names = [
                alias
                for alias in node.names
                if star or (alias.asname or alias.name.partition(".")[0]) in used
            ]
            if not node.names:
                continue
        yield ast.unparse(node)
