"""The colon fences of MyST (``::::{exercise} Title``) as a tree.

An outer fence has more colons than those inside it. Leaves out backtick directives and fences
inside lists: an authored chapter uses neither.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_OPEN = re.compile(r"^(:{3,})\{([\w:-]+)\}[ \t]*(.*)$")
_CLOSE = re.compile(r"^(:{3,})\s*$")
_CODE = re.compile(r"^\s{0,3}(`{3,}|~{3,})")
_OPTION = re.compile(r"^:([\w-]+):\s*(.*)$")


class FenceError(ValueError):
    """A fence is not closed, or closes another; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass
class Fence:
    """One colon fence: its name, its title, its options, what it holds, its first line."""

    name: str
    title: str
    colons: int
    line: int
    options: dict[str, str] = field(default_factory=dict)
    children: "list[str | Fence]" = field(default_factory=list)


def parse(source: str) -> list[str | Fence]:
    """Cut Markdown into lines and fences.

    Raises:
        FenceError: a fence is not closed, a closing line has no fence, or a fence inside
            another has as many colons.

    >>> tree = parse("Before.\\n:::{note} Title\\nInside.\\n:::")
    >>> tree[0], tree[1].name, tree[1].title, tree[1].children
    ('Before.', 'note', 'Title', ['Inside.'])
    """
    root = Fence("", "", 10**6, 0)
    stack, code = [root], ""
    for number, text in enumerate(source.split("\n"), start=1):
        marks = _CODE.match(text)
        if code:
            if marks and marks[1].startswith(code) and text.strip() == marks[1]:
                code = ""
            stack[-1].children.append(text)
        elif marks:
            code = marks[1]
            stack[-1].children.append(text)
        else:
            _take(stack, text, number)
    if len(stack) > 1:
        raise FenceError(stack[-1].line, f"the fence {{{stack[-1].name}}} is not closed")
    return root.children


def fences(tree: Sequence[str | Fence]) -> Iterator[Fence]:
    """Every fence of a tree, outer ones first.

    >>> [fence.name for fence in fences(parse("::::{note}\\n:::{tip}\\n:::\\n::::"))]
    ['note', 'tip']
    """
    for node in tree:
        if isinstance(node, Fence):
            yield node
            yield from fences(node.children)


def _take(stack: list[Fence], text: str, number: int) -> None:
    """Open a fence, close one, read an option, or keep a line."""
    here = stack[-1]
    if opening := _OPEN.match(text):
        colons = len(opening[1])
        if colons >= here.colons:
            raise FenceError(
                number,
                f"the fence {{{opening[2]}}} stands inside {{{here.name}}} and must have "
                f"fewer than its {here.colons} colons",
            )
        fence = Fence(opening[2], opening[3].strip(), colons, number)
        here.children.append(fence)
        stack.append(fence)
    elif closing := _CLOSE.match(text):
        if len(stack) == 1 or len(closing[1]) != here.colons:
            raise FenceError(number, "this closing fence matches no open fence")
        stack.pop()
    elif len(stack) > 1 and not here.children and (option := _OPTION.match(text)):
        here.options[option[1]] = option[2].strip()
    else:
        here.children.append(text)
