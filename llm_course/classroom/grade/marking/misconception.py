"""Which catalogued mistake an answer behaves like.

The inputs of a question's tests are taken from a run of the reference solution, which passes all
of them. An answer that gives on every input what a catalogued wrong answer gives, right or wrong,
is taken to rest on the same misunderstanding.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from llm_course.classroom.grade.marking.assignment import Question
from llm_course.classroom.grade.marking.trial import Space, run_quietly, run_test
from llm_course.classroom.grade.walls.student_kernel import KernelGone
from llm_course.classroom.grade.walls.wire import WireError, dumps, loads

MOST_CALLS = 40
TOLERANCE = 1e-4

Outcome = tuple[str, Any]


def inputs_of(question: Question, space: Space) -> list[str]:
    """The arguments of the calls that the question's tests make, as `wire.dumps` wrote them."""
    own = dict(space)
    run_quietly(question.solution, f"<{question.grade_id}>", own)
    seen: list[str] = []

    def recorded(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if len(seen) < MOST_CALLS:
                seen.append(dumps((name, arguments, named)))
            return own[name](*arguments, **named)

        return call

    functions = {name: recorded(name) for name in question.functions}
    for test in question.tests:
        run_test(test, functions, space)
    return list(dict.fromkeys(seen))


def behaviour(inputs: Sequence[str], functions: Mapping[str, Callable[..., Any]]) -> list[Outcome]:
    """What the functions give for each recorded call: a value, or the kind of an error.

    Raises:
        KernelGone: a student's function took its kernel with it.
    """
    found: list[Outcome] = []
    for text in inputs:
        name, arguments, named = loads(text)
        try:
            found.append(("value", loads(dumps(functions[name](*arguments, **named)))))
        except WireError:
            found.append(("value", None))
        except Exception as error:
            found.append(("error", type(error).__name__))
    return found


def misconception_of(
    question: Question,
    proxies: Mapping[str, Callable[..., Any]],
    wrong: Mapping[str, tuple[str, Callable[..., Any]]],
    space: Space,
) -> tuple[str, str]:
    """The name and the words of the catalogued mistake that an answer behaves like, or "", "".

    Args:
        question: the question, with one graded function that comes first.
        proxies: the student's functions.
        wrong: the catalogued mistakes by name, each with its misconception.
        space: the namespace of the tests.
    """
    inputs = inputs_of(question, space)
    if not inputs or not wrong:
        return "", ""
    try:
        theirs = behaviour(inputs, proxies)
    except KernelGone:
        return "", ""
    first = question.functions[0]
    for name, (words, function) in wrong.items():
        mistaken = behaviour(inputs, {**proxies, first: function})
        if all(map(same, theirs, mistaken)):
            return name, words
    return "", ""


def same(left: Any, right: Any) -> bool:
    """Whether two plain values agree, numbers within a tolerance.

    >>> same(("value", [1.0, float("nan")]), ("value", [1.0000001, float("nan")]))
    True
    >>> same(("value", None), ("error", "ValueError"))
    False
    """
    if _is_numeric(left) and _is_numeric(right):
        return _close(np.asarray(_numpy(left)), np.asarray(_numpy(right)))
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def _is_numeric(value: Any) -> bool:
    """Whether this is a number, an array or a tensor."""
    if isinstance(value, bool | str | bytes):
        return False
    return isinstance(value, int | float | complex | np.generic | np.ndarray) or hasattr(
        value, "detach"
    )


def _numpy(value: Any) -> Any:
    """A tensor as an array of a type that NumPy has; anything else as it is."""
    if not hasattr(value, "detach"):
        return value
    return value.double().numpy() if value.is_floating_point() else value.numpy()


def _close(left: np.ndarray, right: np.ndarray) -> bool:
    """Whether two arrays agree within the tolerance."""
    if left.shape != right.shape:
        return False
    if left.dtype.kind not in "biufc" or right.dtype.kind not in "biufc":
        return bool(np.array_equal(left, right))
    scale = max(1.0, float(np.abs(right[np.isfinite(right)]).max(initial=0.0)))
    return math.isfinite(scale) and bool(
        np.allclose(left, right, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True)
    )
