"""Text that somebody else wrote, made inert: it shows what it says and does nothing else.

A submission may hold terminal codes, characters that turn the reading direction or hide text,
NULs, half of a surrogate pair, a tower of accents, or ten million characters. What passes here is
ordinary text of a known length. Leaves out escaping, which depends on where the text goes.
"""

import re

REPLACED = "\ufffd"

_LINES = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")

# Colours and cursor moves, window titles and links, and single commands.
_TERMINAL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)

# Control characters, half surrogate pairs, and what turns, hides or tags the text around it.
_HARMFUL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u070f\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)

_ACCENTS = "\u0300-\u036f\u0483-\u0489\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
_TOWER = re.compile(
    f"([{_ACCENTS}\u20d0-\u20ff\ufe20-\ufe2f]{{3}})[{_ACCENTS}\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def plain(text: str, limit: int) -> str:
    r"""Text of at most `limit` characters, and a last line that says how many were left out.

    Lines and tabs stay. Terminal codes go; what cannot be shown safely becomes U+FFFD.

    >>> plain("\x1b[31mred\x1b[0m\r\nand \u202eturned", 80)
    'red\nand \ufffdturned'
    >>> plain("a" * 1000, 3)
    'aaa\n[… 997 more characters]'
    """
    text = str(text)
    cleaned = _cleaned(text[: 4 * limit + 1000])
    seen_whole = len(text) <= 4 * limit + 1000
    if seen_whole and len(cleaned) <= limit:
        return cleaned
    left_out = max(len(cleaned) - limit, 0) + max(len(text) - 4 * limit - 1000, 0)
    return f"{cleaned[:limit]}\n[… {left_out:,} more characters]"


def one_line(text: str, limit: int) -> str:
    r"""Text on one line, cut with an ellipsis: for names, titles and table cells.

    >>> one_line("Ada\n  Lovelace", 80), one_line("Ada Lovelace", 4)
    ('Ada Lovelace', 'Ada…')
    """
    joined = " ".join(_cleaned(str(text)[: 4 * limit + 1000]).split())
    return joined if len(joined) <= limit else joined[: limit - 1].rstrip() + "…"


def number(value: float) -> str:
    """Points as people write them: at most two decimals, no trailing zeros.

    >>> number(10.0), number(2.5), number(1 / 3), number(-0.001)
    ('10', '2.5', '0.33', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _cleaned(text: str) -> str:
    """The text without what acts on its surroundings."""
    text = _TERMINAL.sub("", _LINES.sub("\n", text))
    return _TOWER.sub(r"\1", _HARMFUL.sub(REPLACED, text))
