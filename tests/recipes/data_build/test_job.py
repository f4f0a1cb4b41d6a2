"""A job crosses as text and comes back the same."""

from llm_course.recipes.data_build.job import Job, from_text
from llm_course.recipes.data_build.recipe import parse_recipe
from llm_course.recipes.data_build.workspace import Workspace


def test_a_job_survives_as_text(table, tmp_path):
    job = Job(
        step="filter-1", key="tiny_world-00000", recipe=parse_recipe(table()),
        workspace=Workspace(tmp_path), arguments={"corpus": "tiny_world", "segment": 1},
    )  # fmt: skip
    again = from_text(job.to_text())
    assert (again.step, again.key, again.recipe) == (job.step, job.key, job.recipe)
    assert again.workspace.out == tmp_path and again.arguments == job.arguments


def test_a_worker_elsewhere_finds_a_relative_folder(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = Job(
        step="read", key="a", recipe=parse_recipe(table()), workspace=Workspace(tmp_path / "b"),
        arguments={},
    )  # fmt: skip
    from_text(job.to_text()).done({"n": 1})
    assert job.workspace.record("read", "a") == {"n": 1}
