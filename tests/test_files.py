"""Files that are never half-written."""

import errno
import os
from pathlib import Path

import pytest

from llm_course.errors import CourseError
from llm_course.files import atomic_path, atomic_write, cache_dir


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("LLM_COURSE_CACHE", str(tmp_path / "models"))
    assert cache_dir() == tmp_path / "models"


@pytest.mark.parametrize("value", [None, ""])
def test_cache_is_in_the_home_folder_otherwise(monkeypatch, value):
    monkeypatch.delenv("LLM_COURSE_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("LLM_COURSE_CACHE", value)
    assert cache_dir() == Path.home() / ".cache" / "llm-course"


@pytest.mark.parametrize(
    ("content", "on_disk"),
    [("naïve ☕\n", "naïve ☕\n".encode()), (b"\x00\r\n\xff", b"\x00\r\n\xff")],
)
def test_write_round_trip_makes_missing_folders(tmp_path, content, on_disk):
    target = tmp_path / "deep" / "er" / "file"
    atomic_write(target, content)
    assert target.read_bytes() == on_disk
    assert names(target.parent) == ["file"], "a temporary file was left behind"


def test_target_may_be_given_as_text(tmp_path):
    atomic_write(str(tmp_path / "file"), "x")
    assert names(tmp_path) == ["file"]


def test_reader_sees_the_old_content_until_the_end(tmp_path):
    target = tmp_path / "file"
    atomic_write(target, "old")
    with atomic_path(target) as path:
        path.write_text("ne")
        assert path.parent == target.parent, "a rename across file systems is a copy"
        assert target.read_text() == "old"
        path.write_text("new")
    assert target.read_text() == "new"


@pytest.mark.parametrize("fault", [RuntimeError("fault"), KeyboardInterrupt()])
def test_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, fault):
    target = tmp_path / "file"
    atomic_write(target, "old")
    with pytest.raises(type(fault)), atomic_path(target) as path:
        path.write_text("half")
        raise fault
    assert target.read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "no space left on the disk"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EACCES, "the folder cannot be written"),
        (errno.EROFS, "the folder cannot be written"),
        (errno.EPERM, "the folder cannot be written"),
    ],
)
def test_disk_that_cannot_take_it_is_explained(tmp_path, code, reason):
    target = tmp_path / "file"
    with pytest.raises(CourseError) as caught, atomic_path(target) as path:
        path.write_text("half")
        raise OSError(code, os.strerror(code))
    assert str(caught.value) == (
        f"{target}: {reason}; nothing was left behind. "
        "Fix: free some space there, or make the folder writable."
    )
    assert names(tmp_path) == []


def test_disk_that_fills_up_at_the_rename_is_explained(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CourseError, match="no space left on the disk"):
        atomic_write(tmp_path / "file", "x")
    assert names(tmp_path) == []


def test_other_operating_system_errors_stay_what_they_are(tmp_path):
    fault = FileNotFoundError(errno.ENOENT, "no such source")
    with pytest.raises(FileNotFoundError) as caught, atomic_path(tmp_path / "file"):
        raise fault
    assert caught.value is fault


def test_a_cache_that_is_a_file_is_explained(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("LLM_COURSE_CACHE", str(tmp_path / "file"))
    for place in (cache_dir() / "model", cache_dir() / "deep" / "model"):
        with pytest.raises(CourseError, match=r"is a file, not a folder.*LLM_COURSE_CACHE"):
            atomic_write(place, "x")
    assert (tmp_path / "file").read_text() == "x"


def test_the_cache_is_named_only_where_it_matters(monkeypatch, tmp_path):
    monkeypatch.setenv("LLM_COURSE_CACHE", str(tmp_path / "models"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(CourseError, match="make the folder writable"):
        atomic_write(tmp_path / "file" / "a", "x")
