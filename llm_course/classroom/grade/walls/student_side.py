"""What runs inside the sandbox before and around a student's code.

The process limits itself, replaces the withheld names of libraries, and becomes an IPython kernel.
`call` then answers the tests. Nothing here is trusted: a student's code can change all of it, and
gains nothing but other data, which the trusted side reads as data.
"""

import importlib
import resource
import sys
from collections.abc import Sequence
from typing import Any

from llm_course.classroom.grade.walls.wire import WireError, dumps, loads

ANSWER = "application/vnd.llm-course.answer+json"  # the MIME type that carries an answer
LONGEST_MESSAGE = 2_000
LIMITS = {
    resource.RLIMIT_AS: 12 * 2**30,  # address space; resident memory is watched from outside
    resource.RLIMIT_NPROC: 256,
    resource.RLIMIT_NOFILE: 512,
    resource.RLIMIT_FSIZE: 128 * 2**20,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_CPU: 600,
}


def main(arguments: Sequence[str]) -> None:
    """Become a kernel: ``python -m llm_course.classroom.grade.walls.student_side FILE [NAME …]``.

    Args:
        arguments: the connection file, and names of libraries to withhold. ``--unlimited`` among
            them leaves the process as it is, where it runs without a sandbox.
    """
    for limit, most in ({} if "--unlimited" in arguments else LIMITS).items():
        _, hard = resource.getrlimit(limit)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (value, value))
    for name in arguments[1:]:
        withhold(name)
    from ipykernel.kernelapp import launch_new_instance

    quiet = ["--HistoryManager.enabled=False", "--InteractiveShell.colors=nocolor"]
    launch_new_instance(["-f", arguments[0], "--InteractiveShell.xmode=Plain", *quiet])


def withhold(name: str) -> None:
    """Replace a library's function or class by one that raises; a name that is not there stays so.

    >>> import math
    >>> kept = math.lgamma
    >>> withhold("math.lgamma")
    >>> try:
    ...     math.lgamma(2)
    ... except RuntimeError as error:
    ...     print(error)
    withheld in grading: math.lgamma
    >>> math.lgamma = kept
    """
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:cut]))
            for part in parts[cut:-1]:
                owner = getattr(owner, part)
            getattr(owner, parts[-1])
            setattr(owner, parts[-1], _stopped(name))
            return
        except (ImportError, AttributeError):
            continue


def call(namespace: dict[str, Any], number: int, text: str) -> None:
    """Call a student's function and publish what came of it.

    The answer holds the result, and the arguments that the function changed in place; or the
    built-in kinds of the exception and its message; or why the result cannot cross.

    Args:
        namespace: where the function is.
        number: which call this is.
        text: the function's name, its arguments and its named arguments, as `wire.dumps` wrote
            them.
    """
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    answer = answered(namespace, text)
    shell.display_pub.publish({ANSWER: answer}, metadata={"call": number})


def answered(namespace: dict[str, Any], text: str) -> str:
    """The answer to one call, as text.

    >>> loads(answered({"double": lambda x: 2 * x}, dumps(("double", (4,), {}))))
    ('value', 8, {})
    >>> loads(answered({}, dumps(("double", (4,), {}))))
    ('error', ['NameError', 'Exception'], "name 'double' is not defined")
    """
    name, arguments, named = loads(text)
    given = {**dict(enumerate(arguments)), **named}
    before = {key: dumps(value) for key, value in given.items()}
    try:
        if name not in namespace:
            raise NameError(f"name {name!r} is not defined")
        result = namespace[name](*arguments, **named)
        changed = {key: value for key, value in given.items() if dumps(value) != before[key]}
        return dumps(("value", result, changed))
    except WireError as error:
        return dumps(("unsendable", str(error)))
    except BaseException as error:
        kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
        told = f"{error}"[:LONGEST_MESSAGE]
        return dumps(("error", [k for k in kinds if k not in ("object", "BaseException")], told))


def _stopped(name: str) -> type:
    """Something that raises, called as a function or made as an object."""

    class Withheld:
        def __new__(cls, *_: Any, **__: Any) -> Any:
            raise RuntimeError(f"withheld in grading: {name}")

    return Withheld


if __name__ == "__main__":
    main(sys.argv[1:])
