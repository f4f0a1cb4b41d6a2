"""What a slip of the pen does to one node of a syntax tree.

Each operator takes a node and yields what it could have been by mistake, with the kind of mistake
in words. Leaves out where nodes stand: `mutation` walks the tree and puts the changes in.
"""

import ast
import re
from collections.abc import Callable, Iterator, Set
from itertools import pairwise
from typing import Any

Change = tuple[str, ast.AST]

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPPOSITES = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    **{op: others[0] for op, others in COMPARISONS.items() if len(others) == 1},
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
ONE_SIDED = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult, ast.LShift, ast.RShift)

_PAIRS = (
    "tril triu, max min, amax amin, argmax argmin, maximum minimum, any all, zeros ones, "
    "zeros_like ones_like, ceil floor, sin cos, sum mean, softmax log_softmax"
)
COUNTERPARTS = {
    name: other for pair in _PAIRS.split(", ") for name, other in (pair.split(), pair.split()[::-1])
}
BUILTIN_COUNTERPARTS = {"max", "min", "any", "all"}
# The order of their arguments does not matter.
SYMMETRIC = {"max", "min", "maximum", "minimum", "transpose", "swapaxes", "allclose", "equal"}
# What they are given is of another kind: without the call nothing could run.
_BUILDERS = "ones, zeros, full, empty, eye, arange, linspace, rand, randn, randint, tensor"
NEEDED = {"range", "len", "zip", "enumerate", "isinstance", "print", "super", "type"}
NEEDED |= set(_BUILDERS.split(", "))

_AXES = re.compile(r"\s*(?:[\w.]+|[(),])\s*")


def comparison(node: ast.Compare) -> Iterator[Change]:
    """Flipped: ``<`` as ``<=`` or ``>``, ``==`` as ``!=``."""
    for i, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            ops = [*node.ops[:i], other(), *node.ops[i + 1 :]]
            yield "flipped comparison", ast.Compare(node.left, ops, node.comparators)


def arithmetic(node: ast.BinOp) -> Iterator[Change]:
    """A dropped term or factor, swapped operands, another operator."""
    yield "dropped term", node.left
    yield "dropped term", node.right
    if isinstance(node.op, ONE_SIDED):
        yield "swapped operands", ast.BinOp(node.right, node.op, node.left)
    yield "other operator", ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)


def augmented(node: ast.AugAssign) -> Iterator[Change]:
    """``+=`` as ``-=`` or as ``=``."""
    other = ARITHMETIC[type(node.op)]()
    yield "other operator", ast.AugAssign(node.target, other, node.value)
    yield "dropped term", ast.Assign([node.target], node.value, lineno=node.lineno)


def connective(node: ast.BoolOp) -> Iterator[Change]:
    """``and`` as ``or``, and each part dropped."""
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "and for or", ast.BoolOp(other, node.values)
    for i in range(len(node.values)):
        rest = [*node.values[:i], *node.values[i + 1 :]]
        yield "dropped term", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def sign(node: ast.UnaryOp) -> Iterator[Change]:
    """The sign or the negation dropped; a negative number is also changed as a number."""
    if isinstance(node.op, ast.UAdd):
        return
    yield ("dropped sign" if isinstance(node.op, ast.USub) else "dropped negation"), node.operand
    if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        yield from _other_numbers(-node.operand.value)


def constant(node: ast.Constant) -> Iterator[Change]:
    """A number off by one, another truth value, another text; axes in another order."""
    if isinstance(node.value, bool):
        yield "other truth value", ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield from _other_numbers(node.value)
    elif isinstance(node.value, str) and "->" in node.value:
        for text in axes_swapped(node.value):
            yield "swapped axes", ast.Constant(text)
    elif isinstance(node.value, str):
        yield "other text", ast.Constant("" if node.value else " ")


def call(node: ast.Call, imported: Set[str]) -> Iterator[Change]:
    """The call removed, a named argument dropped, two neighbouring arguments swapped.

    Args:
        node: the call.
        imported: names of modules and of what was imported from them: no values.
    """
    function, given = node.func, node.args
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if isinstance(function, ast.Attribute) and _root(function) not in imported:
        yield "removed call", function.value
    elif given and not isinstance(given[0], ast.Starred) and name not in NEEDED:
        yield "removed call", given[0]
    for i, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
            yield "dropped argument", ast.Call(function, given, rest)
    for i in range(len(given) - 1 if name not in SYMMETRIC else 0):
        if not any(isinstance(one, ast.Starred | ast.Constant) for one in given[i : i + 2]):
            swapped = [*given[:i], given[i + 1], given[i], *given[i + 2 :]]
            yield "swapped arguments", ast.Call(function, swapped, node.keywords)


def attribute(node: ast.Attribute) -> Iterator[Change]:
    """A method as its counterpart: ``tril`` as ``triu``."""
    if isinstance(node.ctx, ast.Load) and node.attr in COUNTERPARTS:
        other = COUNTERPARTS[node.attr]
        yield "counterpart", ast.Attribute(node.value, other, node.ctx)


def name(node: ast.Name) -> Iterator[Change]:
    """A built-in function as its counterpart: ``max`` as ``min``."""
    if isinstance(node.ctx, ast.Load) and node.id in BUILTIN_COUNTERPARTS:
        yield "counterpart", ast.Name(COUNTERPARTS[node.id], node.ctx)


def part(node: ast.Slice) -> Iterator[Change]:
    """A slice without one of its bounds."""
    for field in ("lower", "upper", "step"):
        if getattr(node, field) is not None:
            bounds = {"lower": node.lower, "upper": node.upper, "step": node.step, field: None}
            yield "dropped bound", ast.Slice(**bounds)


def negated(test: ast.expr) -> ast.expr:
    """The opposite of a condition."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return ast.Compare(test.left, [OPPOSITES[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def axes_swapped(pattern: str) -> Iterator[str]:
    """An einops or einsum pattern with two axes in the other order.

    Swapped are neighbours on the right of the arrow, and neighbours in one pair of brackets.

    >>> list(axes_swapped("b t (h d) -> b h t d"))
    ['b t (d h) -> b h t d', 'b t (h d) -> h b t d', 'b t (h d) -> b t h d', 'b t (h d) -> b h d t']
    >>> list(axes_swapped("ij,jk->ik"))
    ['ij,jk->ki']
    """
    left, arrow, right = pattern.partition("->")
    word = right.strip()
    if word.isalpha():
        for i in range(len(word) - 1):
            other = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
            yield left + arrow + right.replace(word, other)
        return
    for text in _neighbours_swapped(left, in_brackets=True):
        yield text + arrow + right
    for text in _neighbours_swapped(right, in_brackets=False):
        yield left + arrow + text


def _neighbours_swapped(side: str, *, in_brackets: bool) -> Iterator[str]:
    """One side of a pattern with two neighbouring names swapped."""
    pieces = [found[0] for found in _AXES.finditer(side)]
    words = [piece.strip() for piece in pieces]
    depth = 0
    for i, (one, two) in enumerate(pairwise(words)):
        depth += {"(": 1, ")": -1}.get(one, 0)
        if one != two and not {one, two} & set("()") and (depth or not in_brackets):
            swapped = list(pieces)
            swapped[i] = pieces[i].replace(one, two)
            swapped[i + 1] = pieces[i + 1].replace(two, one)
            yield "".join(swapped)


def _other_numbers(value: float) -> Iterator[Change]:
    """Numbers near `value`: one more and one less; a fraction also halved."""
    if isinstance(value, int):
        others = [("off by one", value + 1), ("off by one", value - 1)]
    else:
        others = [("other number", value + 1), ("other number", value / 2 if value else -1.0)]
    for kind, other in others:
        if other < 0:
            yield kind, ast.UnaryOp(ast.USub(), ast.Constant(-other))
        else:
            yield kind, ast.Constant(other)


def _root(node: ast.expr) -> str:
    """The name with which a dotted expression begins, "" when it begins with a value."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


OPERATORS: dict[type[ast.AST], Callable[[Any], Iterator[Change]]] = {
    ast.Compare: comparison,
    ast.BinOp: arithmetic,
    ast.AugAssign: augmented,
    ast.BoolOp: connective,
    ast.UnaryOp: sign,
    ast.Constant: constant,
    ast.Attribute: attribute,
    ast.Name: name,
    ast.Slice: part,
}
