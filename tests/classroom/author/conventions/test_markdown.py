"""The part of MyST that a chapter may use."""

from collections.abc import Callable

import pytest

Breaks = Callable[[str, str, str, str], None]


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        (":::{note} About empty", ":::{margin} About empty", "markdown", "directive {margin}"),
        ("## Use it\n", "```{figure} x.png\n```\n\n## Use it\n", "markdown", "backtick directive"),
        ("## Use it\n", "See {term}`mean`.\n\n## Use it\n", "markdown", "role {term}"),
        ("## Use it\n", "- item\n  :::{note}\n\n## Use it\n", "markdown", "column 1"),
        ("{cite:p}`pearson1895`", "{cite:p}`pearson1896`", "citation", "'pearson1896'"),
        ("## Use it\n", "![a mean](mean.png)\n\n## Use it\n", "image", "show()"),
    ],
)
def test_one_edit_breaks_one_rule(
    breaks: Breaks, old: str, new: str, rule: str, message: str
) -> None:
    breaks(old, new, rule, message)
