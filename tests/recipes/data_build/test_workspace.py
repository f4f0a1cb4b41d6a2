"""The folder of a build: it belongs to one recipe, and half-written files go."""

import pytest

from llm_course.errors import CourseError
from llm_course.recipes.data_build import workspace as workspaces
from llm_course.recipes.data_build.recipe import parse_recipe
from llm_course.recipes.data_build.workspace import Workspace, fingerprint


@pytest.fixture
def recipe(table):
    return parse_recipe(table())


def test_the_fingerprint_follows_the_code(recipe, tmp_path, monkeypatch):
    before = fingerprint(recipe)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "new.py").write_text("")
    monkeypatch.setattr(workspaces.llm_course, "__file__", str(tmp_path / "__init__.py"))
    assert fingerprint(recipe) != before


def test_it_begins_goes_on_and_ends(recipe, tmp_path):
    workspace = Workspace(tmp_path)
    assert workspace.begin(recipe) is None
    workspace.done("read", "a", {"n": 1})
    assert Workspace(tmp_path).begin(recipe) is None, "what is half done goes on"
    assert workspace.record("read", "a") == {"n": 1} and workspace.record("read", "b") is None
    workspace.finish({"name": "demo"})
    assert not workspace.work.exists()
    assert Workspace(tmp_path).begin(recipe) == {"name": "demo"}


def test_a_kill_while_it_ends_leaves_nothing(recipe, tmp_path):
    workspace = Workspace(tmp_path)
    workspace.begin(recipe)
    workspace.done("read", "a", {})
    workspaces.atomic_write(tmp_path / "report.json", "{}")
    assert workspace.begin(recipe) == {} and not workspace.work.exists()


def test_half_written_files_go(recipe, tmp_path):
    workspace = Workspace(tmp_path)
    workspace.begin(recipe)
    left = workspace.work / "read" / ".a.jsonl.123.tmp"
    left.parent.mkdir(parents=True)
    left.touch()
    workspace.begin(recipe)
    assert not left.exists()


def test_another_recipe_is_refused_and_replaced_by_force(recipe, table, tmp_path):
    Workspace(tmp_path).begin(recipe)
    Workspace(tmp_path).done("read", "a", {})
    other = parse_recipe(table(seed=9))
    with pytest.raises(CourseError, match="expected a build of this recipe, .* Fix: .*--force"):
        Workspace(tmp_path).begin(other)
    assert Workspace(tmp_path).record("read", "a") == {}, "nothing was lost"
    assert Workspace(tmp_path).begin(other, force=True) is None
    assert Workspace(tmp_path).record("read", "a") is None


def test_a_kill_while_it_is_replaced_needs_force_again(recipe, table, tmp_path, monkeypatch):
    workspace, other = Workspace(tmp_path), parse_recipe(table(seed=9))
    workspace.begin(recipe)
    workspace.finish({"name": "demo"})

    def killed(path):
        raise KeyboardInterrupt

    (tmp_path / "shards").mkdir()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(workspaces.shutil, "rmtree", killed)
        patch.setattr(workspaces.Path, "unlink", lambda self, missing_ok=False: None)
        workspace.begin(other, force=True)
    for half_removed in (recipe, other):
        with pytest.raises(CourseError, match="--force"):
            workspace.begin(half_removed)
    assert workspace.begin(recipe, force=True) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build.json"]


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_something_else_is_never_emptied(recipe, tmp_path, force):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(CourseError, match=r"expected an empty folder, found thesis\.tex. Fix: "):
        Workspace(tmp_path).begin(recipe, force=force)
    assert (tmp_path / "thesis.tex").exists()


def test_a_record_that_is_needed_or_damaged(recipe, tmp_path):
    workspace = Workspace(tmp_path)
    with pytest.raises(CourseError, match=r"a\.json: expected a record, found none"):
        workspace.needed("read", "a")
    workspace.done("read", "a", {})
    (workspace.folder("read") / "a.json").write_text("{")
    with pytest.raises(CourseError, match=r"a\.json: expected a JSON object"):
        workspace.needed("read", "a")
