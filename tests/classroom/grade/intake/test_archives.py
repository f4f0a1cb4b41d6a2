"""Notebooks in folders and zips, whatever those hold."""

import io
import os
import zipfile
from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest

from llm_course.classroom.grade.intake import archives
from llm_course.classroom.grade.intake.archives import Files


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def found(path):
    files = Files(path)
    return {name.as_posix(): data for name, data, _ in files.found()}, files.problems


def test_a_folder_with_zips_in_it(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "a.ipynb").write_bytes(b"1")
    (tmp_path / "bob.zip").write_bytes(zipped({"a.ipynb": b"2", "notes.txt": b"x"}))
    assert found(tmp_path) == ({"ada/a.ipynb": b"1", "bob/a.ipynb": b"2"}, [])


def test_a_zip_of_zips_and_not_deeper(tmp_path):
    inner = zipped({"a.ipynb": b"1", "deep.zip": zipped({"b.ipynb": b"2"})})
    (tmp_path / "all.zip").write_bytes(zipped({"ada.zip": inner}))
    files, problems = found(tmp_path / "all.zip")
    assert files == {"ada/a.ipynb": b"1"}
    assert problems == ["ada/deep.zip: is a zip too deep inside others."]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/a.ipynb", "etc/a.ipynb"),
        ("/etc/a.ipynb", "etc/a.ipynb"),
        ("C:\\x\\a.ipynb", "C:/x/a.ipynb"),
        ("./x//a.ipynb", "x/a.ipynb"),
        ("__MACOSX/a.ipynb", None),
        ("x/.ipynb_checkpoints/a.ipynb", None),
        (".hidden.ipynb", None),
    ],
)
def test_names_are_only_names(tmp_path, name, kept):
    (tmp_path / "all.zip").write_bytes(zipped({name: b"1"}))
    assert list(found(tmp_path / "all.zip")[0]) == ([kept] if kept else [])
    assert list(tmp_path.iterdir()) == [tmp_path / "all.zip"]


def test_links_are_not_followed(tmp_path):
    (tmp_path / "secret.ipynb").write_bytes(b"s")
    folder = tmp_path / "in"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "a.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (folder / "bob").symlink_to(tmp_path)
    assert found(folder)[0] == {}


def test_bombs_and_damage_are_told(tmp_path, monkeypatch):
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 nonsense")
    whole = zipped({"a.ipynb": b"0" * 5000})
    (tmp_path / "cut.zip").write_bytes(whole[:60] + b"\xff" * 8 + whole[68:])
    monkeypatch.setattr(archives, "LARGEST_TOTAL", 10_000)
    (tmp_path / "large.zip").write_bytes(zipped({"a.ipynb": b"0" * 20_000}))
    files, problems = found(tmp_path)
    assert {text.partition(":")[0] for text in problems} >= {"broken", "large"}
    assert "large/a.ipynb" not in files


def test_a_file_that_is_too_large_is_cut_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_FILE", 100)
    (tmp_path / "big.ipynb").write_bytes(b"0" * 5000)
    (tmp_path / "z.zip").write_bytes(zipped({"b.ipynb": b"0" * 5000}))
    files, _ = found(tmp_path)
    assert {name: len(data) for name, data in files.items()} == {"big.ipynb": 101, "z/b.ipynb": 101}


def test_names_are_sorted(tmp_path):
    (tmp_path / "all.zip").write_bytes(zipped({"b.ipynb": b"", "a.ipynb": b""}))
    assert [name for name, *_ in Files(tmp_path / "all.zip").found()] == [
        PurePosixPath("a.ipynb"),
        PurePosixPath("b.ipynb"),
    ]


NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def times(path):
    return {file.name.as_posix(): file.handed_in for file in Files(path).found()}


def test_a_file_was_handed_in_when_it_was_written(tmp_path):
    (tmp_path / "a.ipynb").write_text("{}")
    os.utime(tmp_path / "a.ipynb", (0, NOON.timestamp()))
    assert times(tmp_path) == {"a.ipynb": NOON}


def test_a_platforms_zip_says_when_and_a_students_zip_does_not(tmp_path):
    platform = io.BytesIO()
    with zipfile.ZipFile(platform, "w") as archive:
        early = zipfile.ZipInfo("ada.ipynb", date_time=(2026, 11, 3, 10, 20, 30))
        archive.writestr(early, b"{}")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as own:  # its clock is the student's
            own.writestr(zipfile.ZipInfo("b.ipynb", date_time=(1999, 1, 1, 0, 0, 0)), b"{}")
        late = zipfile.ZipInfo("bob.zip", date_time=(2026, 12, 3, 10, 20, 30))
        archive.writestr(late, packed.getvalue())
    (tmp_path / "all.zip").write_bytes(platform.getvalue())
    assert times(tmp_path / "all.zip") == {
        "ada.ipynb": datetime(2026, 11, 3, 10, 20, 30).astimezone(UTC),
        "bob/b.ipynb": datetime(2026, 12, 3, 10, 20, 30).astimezone(UTC),
    }
    (tmp_path / "bob.zip").write_bytes(packed.getvalue())
    os.utime(tmp_path / "bob.zip", (0, NOON.timestamp()))
    assert times(tmp_path)["bob/b.ipynb"] == NOON


def test_nbgraders_stamp_counts_where_nbgrader_puts_it(tmp_path):
    for folder in ("ada/07_attention", "bob"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.ipynb").write_text("{}")
        os.utime(tmp_path / folder / "a.ipynb", (0, NOON.timestamp()))
        (tmp_path / folder / "timestamp.txt").write_text("2026-11-01 10:00:00.5 CET")
    found = times(tmp_path)
    assert found["ada/07_attention/a.ipynb"] == datetime(2026, 11, 1, 9, 0, 0, 500000, UTC)
    assert found["bob/a.ipynb"] == NOON
    (tmp_path / "ada/07_attention/timestamp.txt").write_text("yesterday-ish")
    files = Files(tmp_path)
    assert {file.handed_in for file in files.found()} == {NOON}
    assert files.problems == [
        "ada/07_attention/timestamp.txt: expected a date and time; the file's own counts."
    ]


def test_a_member_with_an_impossible_date_is_not_late(tmp_path):
    info = zipfile.ZipInfo("a.ipynb")
    info.date_time = (1980, 0, 0, 0, 0, 0)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, b"{}")
    assert times(tmp_path / "a.zip")["a.ipynb"] == datetime(1980, 1, 1, tzinfo=UTC)
