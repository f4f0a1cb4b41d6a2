"""How a notebook ends."""

from collections.abc import Callable

import pytest

Breaks = Callable[[str, str, str, str], None]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("- A running total may fall.\n", "", "ending", "expected 5 lines, got 4"),
        ("## Self-check quiz", "## Questions", "ending", "## Self-check quiz"),
        (
            ":::{dropdown} Answer\nNo: it is a weighted average of them.\n:::",
            "No.",
            "ending",
            "the quiz needs answers",
        ),
        ("{cite:t}`knuth1974`", "Others", "ending", "at least 2 citations"),
        (
            "The same definitions hold for a billion numbers; what changes is the order of the "
            "additions, and with it the last digits.",
            "",
            "ending",
            "is empty",
        ),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)
