"""Every notebook of the course runs at the small scale, within the memory of a laptop."""

from pathlib import Path

import pytest

from llm_course.classroom.course import find_root
from llm_course.classroom.execute.run import execute

MOST_MEMORY = 2 * 2**30


@pytest.mark.notebook
def test_every_notebook_runs_at_the_small_scale_within_its_memory():
    results = execute(find_root(Path(__file__).parent))
    failures = [str(result.failure) for result in results if result.failure]
    assert not failures, "\n\n".join(failures)
    large = {r.notebook.key: r.peak_bytes for r in results if (r.peak_bytes or 0) > MOST_MEMORY}
    assert not large, f"expected a peak of at most {MOST_MEMORY} bytes, got {large}"
