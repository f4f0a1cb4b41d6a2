"""How a notebook opens."""

from collections.abc import Callable

import pytest

Breaks = Callable[[str, str, str, str], None]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ("  minutes: 120", "  minutes: two hours", "front-matter", "llm_course.minutes"),
        ('  prerequisites: ["00_primer"]', "  audience: all", "front-matter", "a list"),
        ("# Counting", "# To count", "title", "make them the same"),
        ("## See it", "# See it", "title", "one # heading, got 2"),
        ("able to do.**", "able to.**", "opening", "what you will be able to do"),
        ("**Prerequisites.**", "**Before.**", "opening", "prerequisites"),
        ("120 minutes.", "90 minutes.", "opening", "the text says 90 minutes"),
        ("tags: [parameters]", "tags: [settings]", "parameters", "tag parameters"),
        ("SEED = 0", "SEED = 0\nEXTRA = 1", "parameters", "SCALE, DEVICE, SEED"),
        ("print([round", "import os\n\nprint([round", "imports", "outside the imports cell"),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)
