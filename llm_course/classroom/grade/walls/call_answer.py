"""What came back from a call: a value, changed arguments, or an exception; plain data all of it."""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

from llm_course.classroom.grade.walls.wire import WireError, loads


class AnswerFailed(Exception):
    """The student's function gave nothing that the tests can use."""


def value_of(name: str, answer: str, given: dict[Any, Any]) -> Any:
    """The value in an answer; what the function changed is changed in `given`, in place."""
    try:
        kind, *parts = loads(answer)
        if kind == "value":
            result, changed = parts
            for key, value in changed.items():
                _change(given[key], value)
            return result
        if kind == "error":
            raise _exception(*parts)
    except (WireError, ValueError, TypeError, KeyError) as error:
        if getattr(error, "from_answer", False):
            raise
        raise AnswerFailed(f"{name} gave an answer that cannot be read") from None
    raise AnswerFailed(f"{name} returned what is not plain data: {parts[0]}"[:500])


def _exception(kinds: Sequence[Any], message: Any) -> Exception:
    """The built-in exception that a student's function raised."""
    for kind in kinds:
        found = getattr(builtins, str(kind), None)
        if isinstance(found, type) and issubclass(found, Exception):
            try:
                error = found(str(message))
            except TypeError:
                continue
            break
    else:
        error = RuntimeError(str(message))
    error.from_answer = True  # type: ignore[attr-defined]
    return error


def _change(value: Any, new: Any) -> None:
    """Change a list, dictionary, set, array, tensor or generator to what it became."""
    if type(value) is not type(new):
        raise WireError("an argument changed its type")
    changes: dict[str, Callable[[], Any]] = {
        "list": lambda: value.__setitem__(slice(None), new),
        "dict": lambda: (value.clear(), value.update(new)),
        "set": lambda: (value.clear(), value.update(new)),
        "ndarray": lambda: value.__setitem__(..., new),
        "Tensor": lambda: value.detach().copy_(new),
        "Generator": lambda: value.set_state(new.get_state()),
    }
    change = changes.get(type(value).__name__)
    if change is not None:
        change()
