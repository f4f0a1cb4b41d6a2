"""What all tests share: a test that needs a system program is not run where that is missing.

Nothing is skipped in silence. The last lines of a run name what was not run and how to get it, and
in continuous integration a missing program is an error. Triton counts as one: it has no macOS.
"""

import importlib.util
import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from llm_course.classroom.doctor import find_browser

FINDERS = {
    "chromium": find_browser,
    "bubblewrap": lambda: shutil.which("bwrap"),
    "triton": lambda: importlib.util.find_spec("triton"),
}
FIXES = {"triton": "on Linux, pip install -c constraints.txt -e '.[triton]'"}
NOT_RUN = pytest.StashKey[dict[str, list[str]]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the tests whose program is missing, and remember their names."""
    missing = {name for name, find in FINDERS.items() if not find()}
    left_out = config.stash.setdefault(NOT_RUN, {})
    kept = []
    for item in items:
        wanted = {name for mark in item.iter_markers("needs") for name in mark.args} & missing
        for name in wanted:
            left_out.setdefault(name, []).append(item.nodeid)
        if not wanted:
            kept.append(item)
    if left_out and os.environ.get("CI"):
        fixes = "; ".join(sorted({_fix(name) for name in left_out}))
        raise pytest.UsageError(f"not installed: {', '.join(left_out)}. Fix: {fixes}")
    items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was not run."""
    for name, tests in terminalreporter.config.stash.get(NOT_RUN, {}).items():
        terminalreporter.write_sep("=", f"not run, because {name} is missing", yellow=True)
        terminalreporter.write_line("\n".join(tests))
        terminalreporter.write_line(f"Fix: {_fix(name)}")


def _fix(name: str) -> str:
    """How to get what is missing."""
    return FIXES.get(name, "make system-deps")


@pytest.fixture(scope="module")  # while it is open, nothing else may run an event loop
def browser() -> Iterator[Browser]:
    """Headless Chromium; it runs without its own sandbox, because it only reads our pages."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield chromium
        chromium.close()
