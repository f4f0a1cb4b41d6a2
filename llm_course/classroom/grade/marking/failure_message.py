"""What a student is told about a failed test.

A visible test can be quoted: the student has it. Of a hidden test only the words that its author
wrote as a message are told, without the values in them; nothing that a student's code said during
a hidden test is repeated, because it has seen the inputs.
"""

import ast
import traceback
from types import TracebackType

from llm_course.classroom.grade.walls.call_answer import AnswerFailed
from llm_course.classroom.grade.walls.student_kernel import KernelGone

LONGEST = 600
ELSEWHERE = "a result is not the expected one."

_GONE = {
    "timeout": "Your function did not finish in time. Look for a loop that does not end.",
    "memory": "Your function used too much memory. Look for tensors that grow with every step.",
    "died": "The Python process of your answer ended while the test ran.",
}


def told(error: BaseException, source: str, name: str, *, hidden: bool) -> str:
    """One sentence or two about why a test failed.

    Args:
        error: what the test raised.
        source: the test's code.
        name: the file name that the code was compiled with.
        hidden: whether the test is withheld from students.
    """
    if isinstance(error, KernelGone):
        return _GONE[error.reason]
    if isinstance(error, AnswerFailed):
        text = str(error) if not hidden else "your function gave nothing that the test can use."
    elif getattr(error, "from_answer", False):
        text = _raised(error, hidden)
    elif isinstance(error, AssertionError):
        text = _words(error, source, name) if hidden else str(error).strip()
    else:
        text = _unusable(error, hidden)
    return _capped(text or ELSEWHERE)


def _raised(error: BaseException, hidden: bool) -> str:
    """The student's function raised."""
    kind = type(error).__name__
    if kind == "NotImplementedError":
        return "not answered yet: the function still raises NotImplementedError."
    return f"your function raised {kind}" + ("." if hidden else f": {error}")


def _unusable(error: BaseException, hidden: bool) -> str:
    """The test itself stumbled over what the function returned."""
    kind = type(error).__name__
    start = "the test could not use what your function returned"
    return f"{start} ({kind})." if hidden else f"{start}: {kind}: {error}"


def _words(error: AssertionError, source: str, name: str) -> str:
    """The author's words in a failed assertion, an ellipsis for each value in them."""
    line = _failing_line(error.__traceback__, name)
    for node in ast.walk(ast.parse(source)):
        inside = getattr(node, "lineno", 0) <= line <= (getattr(node, "end_lineno", 0) or 0)
        if isinstance(node, ast.Assert) and inside and node.msg is not None:
            return _literal(node.msg)
        if isinstance(node, ast.Raise) and inside and isinstance(node.exc, ast.Call):
            return _literal(node.exc.args[0]) if node.exc.args else ""
    return ""


def _failing_line(trace: TracebackType | None, name: str) -> int:
    """The line of the test that raised."""
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(trace) if frame.filename == name]
    return lines[-1] if lines else 0


def _literal(node: ast.expr) -> str:
    """The text of a string expression with its values left out.

    >>> _literal(ast.parse("f'expected {n} heads, ' 'got none'", mode="eval").body)
    'expected … heads, got none'
    """
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _literal(node.left) + _literal(node.right)
    return "…"


def _capped(text: str) -> str:
    """A message of bounded length."""
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"
