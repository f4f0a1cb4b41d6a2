"""Mutants: copies of a reference solution with one small mistake each, made from its syntax tree.

Good tests kill them: they fail on every one. Docstrings, annotations, decorators, imports and what
a `raise` says are left alone, because no test should depend on them. A statement is not dropped
where a name would then be missing: such a mutant dies by itself and says nothing of the tests.
"""

import ast
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from itertools import zip_longest

from llm_course.classroom.grade.mutation import mutation_operators as operators
from llm_course.classroom.grade.mutation.mutation_operators import Change

_CONDITIONAL = (ast.If, ast.While, ast.IfExp)
_KEPT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass,
         ast.Global, ast.Nonlocal)  # fmt: skip
_UNTOUCHED = {"annotation", "returns", "decorator_list", "format_spec"}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One mistake: its kind in words, the line of the cell, that line before and after, the code.

    >>> mutant = Mutant(kind="off by one", line=2, was="return 1", becomes="return 2", source="")
    >>> print(mutant)
    line 2, off by one: return 1 → return 2
    """

    kind: str
    line: int
    was: str
    becomes: str
    source: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.kind}: {self.was} → {self.becomes}"


@dataclass(frozen=True)
class _Place:
    """A node where it stands; `put` sets another one there."""

    node: ast.AST
    put: Callable[[ast.AST], None]


def mutants_of(source: str, setup: str = "") -> list[Mutant]:
    """Every mutant of a solution cell, in the order of its lines; equal ones once.

    Args:
        source: the cell.
        setup: what runs before it; the names that it imports are no values.

    >>> for mutant in mutants_of("def f(x):\\n    return x - 1"):
    ...     print(mutant)
    line 2, dropped term: return x - 1 → return x
    line 2, dropped term: return x - 1 → return 1
    line 2, swapped operands: return x - 1 → return 1 - x
    line 2, other operator: return x - 1 → return x + 1
    line 2, off by one: return x - 1 → return x - 2
    line 2, off by one: return x - 1 → return x - 0
    """
    tree = ast.parse(source)
    whole = ast.unparse(tree)
    imported = _imported(ast.parse(setup)) | _imported(tree)
    found: dict[str, Mutant] = {}
    for place in _places(tree):
        for kind, other in _changes(place.node, tree, imported):
            place.put(other)
            text = ast.unparse(tree)
            place.put(place.node)
            if text not in found and text != whole and _compiles(text):
                was, becomes = _first_difference(whole, text)
                line = place.node.lineno
                found[text] = Mutant(kind=kind, line=line, was=was, becomes=becomes, source=text)
    return sorted(found.values(), key=lambda mutant: mutant.line)


def _places(parent: ast.AST) -> Iterator[_Place]:
    """Every node below `parent` that may be changed."""
    for field, value in ast.iter_fields(parent):
        if field in _UNTOUCHED or isinstance(parent, ast.Raise):
            continue
        for i, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or _is_docstring(node, parent, i):
                continue
            if hasattr(node, "lineno"):
                yield _Place(node, _putter(parent, field, i))
            if not (isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)):
                yield from _places(node)


def _putter(parent: ast.AST, field: str, i: int) -> Callable[[ast.AST], None]:
    """What sets a node into the field of its parent, at index `i` where that is a list."""

    def put(node: ast.AST) -> None:
        value = getattr(parent, field)
        if isinstance(value, list):
            value[i] = node
        else:
            setattr(parent, field, node)

    return put


def _changes(node: ast.AST, tree: ast.Module, imported: Set[str]) -> Iterator[Change]:
    """What could stand in the place of a node by mistake."""
    if isinstance(node, ast.stmt) and _droppable(node, tree):
        yield "dropped statement", ast.Pass()
    if isinstance(node, _CONDITIONAL):
        fields = dict(ast.iter_fields(node)) | {"test": operators.negated(node.test)}
        yield "negated condition", type(node)(**fields)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        yield from _other_filters(node)
    if isinstance(node, ast.Call):
        yield from operators.call(node, imported)
    elif type(node) in operators.OPERATORS:
        yield from operators.OPERATORS[type(node)](node)


def _other_filters(node: ast.AST) -> Iterator[Change]:
    """A comprehension with one of its conditions negated or dropped."""
    for i, generator in enumerate(node.generators):
        for j, test in enumerate(generator.ifs):
            for kind, put in (("negated condition", [operators.negated(test)]),
                              ("dropped condition", [])):  # fmt: skip
                ifs = [*generator.ifs[:j], *put, *generator.ifs[j + 1 :]]
                fields = dict(ast.iter_fields(generator)) | {"ifs": ifs}
                others = list(node.generators)
                others[i] = ast.comprehension(**fields)
                yield kind, type(node)(**(dict(ast.iter_fields(node)) | {"generators": others}))


def _droppable(statement: ast.stmt, tree: ast.Module) -> bool:
    """Whether the code still has all its names, and a result, without a statement."""
    if isinstance(statement, _KEPT) or _ends_a_function(statement, tree):
        return False
    begin, end = _position(statement), (statement.end_lineno, statement.end_col_offset)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = [node for node in names if isinstance(node.ctx, ast.Store)]
    made = {node.id for node in stored if begin <= _position(node) < end}
    before = {node.id for node in stored if _position(node) < begin}
    before |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    loaded = {node.id for node in names if isinstance(node.ctx, ast.Load) and _position(node) > end}
    return not made & loaded - before


def _ends_a_function(statement: ast.stmt, tree: ast.Module) -> bool:
    """Whether this is the last `return` of a function, without which it has no result."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return isinstance(statement, ast.Return) and any(
        function.body[-1] is statement for function in functions
    )


def _position(node: ast.AST) -> tuple[int, int]:
    """Where a node begins."""
    return node.lineno, node.col_offset


def _is_docstring(node: ast.AST, parent: ast.AST, i: int) -> bool:
    """Whether this is a text that stands alone, first in a body."""
    alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return alone and i == 0 and isinstance(node.value.value, str) and hasattr(parent, "body")


def _imported(tree: ast.Module) -> set[str]:
    """The names that imports bind."""
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _compiles(text: str) -> bool:
    """Whether Python takes this as code."""
    try:
        compile(text, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _first_difference(whole: str, text: str) -> tuple[str, str]:
    """The first line that differs, before and after."""
    pairs = zip_longest(whole.split("\n"), text.split("\n"), fillvalue="")
    was, becomes = next((one, two) for one, two in pairs if one != two)
    return was.strip(), becomes.strip()
