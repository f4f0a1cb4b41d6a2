"""When, on what and with which versions something was measured: it stands beside every figure."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import Any


def circumstances(*packages: str) -> dict[str, Any]:
    """The date, the machine, and the versions of Python and of the packages, ready for JSON.

    Args:
        packages: names of installed distributions, as pip knows them.

    Raises:
        importlib.metadata.PackageNotFoundError: one is not installed.

    >>> found = circumstances("numpy")
    >>> list(found), list(found["versions"])
    (['date', 'machine', 'versions'], ['python', 'numpy'])
    """
    versions = {package: metadata.version(package) for package in packages}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {"python": platform.python_version(), **versions},
    }
