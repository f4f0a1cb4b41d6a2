"""Values of a recipe's tables, taken one by one, with an error that says where and what.

What is not taken is unknown: a misspelt option is an error and never a default in disguise.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from llm_course.errors import CourseError

T = TypeVar("T")

NAMES: dict[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "a table",
}
_REQUIRED = object()


class Fields:
    """One table of a recipe.

    Args:
        table: what TOML gave.
        where: how the table is called in a message, such as ``recipe.toml: corpora[0]``.

    Raises:
        CourseError: it is no table.

    >>> fields = Fields({"seed": 3}, "demo.toml")
    >>> fields.take("seed", int, default=0, least=0), fields.take("name", str, default="demo")
    (3, 'demo')
    >>> fields.finish()
    """

    def __init__(self, table: Any, where: str) -> None:
        self.where = where
        if not isinstance(table, Mapping):
            raise self.error("", "a table", table)
        self._left = dict(table)
        self._known: list[str] = []

    def take(
        self,
        name: str,
        kind: type[T],
        default: Any = _REQUIRED,
        *,
        least: float | None = None,
        choices: tuple[str, ...] | None = None,
    ) -> Any:
        """The value of a field, or its default.

        Args:
            name: of the field.
            kind: its type; an integer is also a number, ``true`` is no integer.
            default: what it is if it is not given; without one it must be.
            least: the least number.
            choices: the strings that it may be.

        Raises:
            CourseError: it is missing, of another type, too small or none of the choices.
        """
        self._known.append(name)
        if name not in self._left:
            if default is _REQUIRED:
                raise self.error(name, _expected(kind, least, choices), "nothing", quote=False)
            return default
        value = self._left.pop(name)
        fits = isinstance(value, (int, float) if kind is float else kind)
        if isinstance(value, bool) != (kind is bool) or not fits:
            raise self.error(name, _expected(kind, least, choices), value)
        if (least is not None and not value >= least) or (choices and value not in choices):
            raise self.error(name, _expected(kind, least, choices), value)
        return float(value) if kind is float else value

    def take_list(self, name: str, kind: type[T], default: Any = _REQUIRED) -> Any:
        """A list of values of one type, as a tuple.

        Raises:
            CourseError: it is missing or no such list.
        """
        values = self.take(name, list, default)
        if values is default:
            return default
        for value in values:
            if not isinstance(value, kind):
                raise self.error(name, f"a list, each {NAMES[kind]}", values)
        return tuple(values)

    def finish(self) -> None:
        """Refuse what was not taken.

        Raises:
            CourseError: a field is unknown.
        """
        for name in self._left:
            raise CourseError(
                f"{self.where}: expected only the fields {', '.join(self._known)}, got {name!r}. "
                "Fix: correct its name, or leave it out"
            )

    def error(self, name: str, expected: str, got: Any, *, quote: bool = True) -> CourseError:
        """The error of a field."""
        shown = repr(got)[:60] if quote else got
        place = f"{self.where}: {name}" if name else self.where
        return CourseError(f"{place}: expected {expected}, got {shown}. Fix: correct the recipe")


def _expected(kind: type, least: float | None, choices: tuple[str, ...] | None) -> str:
    """What a field may be, in words.

    >>> _expected(int, 1, None), _expected(str, None, ("bpe", "bytes"))
    ('an integer of at least 1', 'one of bpe, bytes')
    """
    if choices:
        return f"one of {', '.join(choices)}"
    return NAMES[kind] + (f" of at least {least:g}" if least is not None else "")
