"""Notebooks in folders and zips, whatever those hold."""

import io
import zipfile
from pathlib import PurePosixPath

import pytest

from llm_course.classroom.grade import archives
from llm_course.classroom.grade.archives import Files


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def found(path):
    files = Files(path)
    return {name.as_posix(): data for name, data in files.found()}, files.problems


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
    assert [name for name, _ in Files(tmp_path / "all.zip").found()] == [
        PurePosixPath("a.ipynb"),
        PurePosixPath("b.ipynb"),
    ]
