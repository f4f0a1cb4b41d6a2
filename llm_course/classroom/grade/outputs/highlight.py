"""A student's code as HTML: escaped, and coloured by a handful of classes.

The classes get their colours from `templates/page.css`, for light and dark pages. Leaves out what
Pygments tells apart beyond that; the page stays small, and every colour is legible.
"""

import html

from markupsafe import Markup
from pygments import lex
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

# The first kind that a token belongs to names its class; a token of no kind stays plain.
_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (String, "s"),
    (Number, "m"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "f"),
)


def highlighted(code: str) -> Markup:
    """Python code as HTML for a ``<pre>``; any other text comes through plain.

    >>> print(highlighted("x < 1  # <b>"))
    x &lt; <span class="m">1</span>  <span class="c"># &lt;b&gt;</span>
    """
    pieces: list[tuple[str, str]] = []
    for token, text in lex(code, PythonLexer(stripnl=False, ensurenl=False)):
        name = next((name for kind, name in _CLASSES if token in kind), "")
        if pieces and pieces[-1][0] == name:
            pieces[-1] = (name, pieces[-1][1] + text)
        else:
            pieces.append((name, text))
    return Markup("").join(_span(name, text) for name, text in pieces)


def _span(name: str, text: str) -> Markup:
    """A piece of code in its class."""
    escaped = html.escape(text)
    return Markup(f'<span class="{name}">{escaped}</span>' if name else escaped)
