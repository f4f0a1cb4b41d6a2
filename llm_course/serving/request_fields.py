"""The fields of a request, taken one by one; what nobody has taken in the end is unknown.

``null`` means not given, as everywhere in this interface. JSON from outside is data that nobody has
checked: every value passes through one of these methods.
"""

from typing import Any

from llm_course.serving.api_errors import ApiError, invalid


class RequestFields:
    """A JSON object, with checks.

    Args:
        values: what the client sent.

    Raises:
        ApiError: it is no object.

    >>> fields = RequestFields({"n": 2, "colour": "red"})
    >>> fields.integer("n", 1, low=1, high=4), fields.number("top_p", 1.0, low=0, high=1)
    (2, 1.0)
    >>> fields.refuse_others()
    Traceback (most recent call last):
    ...
    llm_course.serving.api_errors.ApiError: colour: expected a parameter that this server knows. \
Fix: leave it out.
    """

    def __init__(self, values: Any) -> None:
        if not isinstance(values, dict):
            raise ApiError(400, f"body: expected a JSON object, got {shown(values)}.")
        self._values = {name: value for name, value in values.items() if value is not None}

    def take(self, name: str, default: Any = None) -> Any:
        """A field as it came."""
        return self._values.pop(name, default)

    def flag(self, name: str) -> bool:
        """True or false; false if it was not given."""
        value = self.take(name, False)
        if not isinstance(value, bool):
            raise invalid(name, f"expected true or false, got {shown(value)}.", "invalid_type")
        return value

    def text(self, name: str) -> str:
        """A text that must be there."""
        return checked_text(name, self.take(name))

    def integer(self, name: str, default: int | None, low: int, high: int) -> Any:
        """An integer within bounds, or the default."""
        value = self.take(name)
        if value is None:
            return default
        if type(value) is not int:
            raise invalid(name, f"expected an integer, got {shown(value)}.", "invalid_type")
        return _within(name, value, low, high)

    def number(
        self, name: str, default: float, low: float, high: float, low_itself: bool = True
    ) -> float:
        """A number within bounds, or the default; the lower bound may be excluded."""
        value = self.take(name)
        if value is None:
            return default
        if type(value) not in (int, float):
            raise invalid(name, f"expected a number, got {shown(value)}.", "invalid_type")
        if value == low and not low_itself:
            raise invalid(name, f"expected more than {low:g} to {high:g}, got {value:g}.")
        return float(_within(name, value, low, high))

    def only(self, **neutral: Any) -> None:
        """Take fields that may be given if they ask for nothing: ``logprobs=False``."""
        for name, nothing in neutral.items():
            value = self.take(name, nothing)
            if value != nothing or type(value) is not type(nothing):
                raise invalid(
                    name,
                    f"expected {nothing!r}, all that this server can do, got {shown(value)}.",
                    "unsupported_value",
                )

    def refuse_others(self) -> None:
        """Raise if a field is left that nobody has taken."""
        for name in self._values:
            raise invalid(
                name[:80],  # it may be anything
                "expected a parameter that this server knows. Fix: leave it out.",
                "unknown_parameter",
            )


def checked_text(name: str, value: Any) -> str:
    """A text whose every character is whole.

    Raises:
        ApiError: it is none, or holds half of a surrogate pair (which JSON can spell).
    """
    if not isinstance(value, str):
        raise invalid(name, f"expected a text, got {shown(value)}.", "invalid_type")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise invalid(name, "expected whole characters, got half of a surrogate pair.") from None
    return value


def shown(value: Any) -> str:
    """A value as a message shows it: not at full length.

    >>> shown({"a": 1}), shown("x" * 99)
    ('an object', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…")
    """
    kinds = {dict: "an object", list: "a list", type(None): "nothing"}
    if type(value) in kinds:
        return kinds[type(value)]
    text = ascii(value)
    return text if len(text) <= 60 else text[:40] + "…"


def _within(name: str, value: Any, low: Any, high: Any) -> Any:
    if not low <= value <= high:
        raise invalid(name, f"expected {low:g} to {high:g}, got {shown(value)}.")
    return value
