"""The words that a release leaves where the solution was and where hidden tests were."""

import re

_SOLUTION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION.*?### END SOLUTION[^\n]*", re.DOTALL | re.MULTILINE
)
HIDDEN_NOTICE = "# Hidden tests stand here when the notebook is graded."


def stub_line(label: str) -> str:
    """The statement that stands for the answer still to be written.

    >>> stub_line("ex-00-1-sum")
    'raise NotImplementedError("ex-00-1-sum: write your answer here")'
    """
    return f'raise NotImplementedError("{label}: write your answer here")'


def stub_of(source: str, label: str) -> str:
    """A solution cell's source with each marked region replaced by the stub.

    >>> print(stub_of("x = 1\\n### BEGIN SOLUTION\\ny\\n### END SOLUTION", "ex-00-1-f"))
    x = 1
    raise NotImplementedError("ex-00-1-f: write your answer here")
    """
    return _SOLUTION.sub(lambda found: found[1] + stub_line(label), source)
