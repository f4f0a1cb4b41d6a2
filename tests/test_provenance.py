import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError

import numpy
import pytest

from llm_course.provenance import circumstances


def test_it_says_what_the_machine_says():
    before = datetime.now(UTC).date().isoformat()
    found = circumstances("numpy")
    assert before <= found["date"] <= datetime.now(UTC).date().isoformat()
    assert found["versions"] == {"python": platform.python_version(), "numpy": numpy.__version__}
    assert f"{os.cpu_count()} cores" in found["machine"]


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(PackageNotFoundError, match="no-such-package"):
        circumstances("no-such-package")
