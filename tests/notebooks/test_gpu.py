"""Every notebook at full scale on a CUDA device: ``make test-gpu`` or ``pytest -m gpu``."""

import json
from pathlib import Path

import pytest

from llm_course.classroom.course import find_root, notebooks
from llm_course.classroom.execute import gpu_report
from llm_course.errors import CourseError

ROOT = find_root(Path(__file__).parent)


@pytest.mark.gpu
def test_every_notebook_runs_at_full_scale_and_is_reported():
    try:
        results = gpu_report.run(ROOT)
    except CourseError as error:
        pytest.fail(str(error), pytrace=False)
    failures = [str(result.failure) for result in results if result.failure]
    assert not failures, "\n\n".join(failures)
    report = json.loads((ROOT / gpu_report.REPORT).read_text(encoding="utf-8"))
    assert set(report["notebooks"]) == {notebook.key for notebook in notebooks(ROOT)}
