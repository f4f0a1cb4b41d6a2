"""The worker does a job by the name of its step."""

import subprocess
import sys

import pytest

from llm_course.recipes.data_build.job import Job
from llm_course.recipes.data_build.recipe import parse_recipe
from llm_course.recipes.data_build.worker import work
from llm_course.recipes.data_build.workspace import Workspace


def test_it_reads_and_filters(table, tmp_path):
    recipe, workspace = parse_recipe(table()), Workspace(tmp_path)
    corpus = {"corpus": "tiny_world", "segment": 0}
    for step, key, arguments in (
        ("read", "tiny_world", {}),
        ("filter-0", "tiny_world-00001", corpus),
    ):
        job = Job(step=step, key=key, recipe=recipe, workspace=workspace, arguments=arguments)
        assert work(job.to_text()) == key
        assert workspace.record(step, key) is not None


def test_an_unknown_step_is_a_defect(table, tmp_path):
    job = Job(step="fly", key="a", recipe=parse_recipe(table()), workspace=Workspace(tmp_path),
              arguments={})  # fmt: skip
    with pytest.raises(KeyError):
        work(job.to_text())


def test_it_starts_without_torch_and_matplotlib():
    code = (
        "import sys, llm_course.recipes.data_build.worker\n"
        "print([name for name in ('torch', 'matplotlib') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
