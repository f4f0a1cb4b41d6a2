"""Safetensors files: what is written is read, by the library too, and faults are one line."""

import stat
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from llm_course.errors import CourseError
from llm_course.pretrained.tensor_files import read_tensors, write_tensors


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.int64])
def test_what_is_written_is_read(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "new folder" / "a.safetensors"
    columns = torch.arange(6).reshape(2, 3).T.to(dtype)
    parameter = torch.nn.Parameter(torch.ones(2))
    write_tensors(path, {"x": columns, "p": parameter}, {"note": "é"})
    tensors, text = read_tensors(path, fix="")
    assert text == {"note": "é"}
    assert tensors["x"].equal(columns) and tensors["x"].dtype == dtype
    assert load_file(path)["p"].equal(torch.ones(2))
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]


def test_a_file_of_the_library_without_text_is_read(tmp_path: Path) -> None:
    save_file({"x": torch.ones(2)}, tmp_path / "a")
    assert read_tensors(tmp_path / "a", fix="")[1] == {}


def test_the_file_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_tensors(tmp_path / "a", {"x": torch.ones(1)}, {})
    assert stat.filemode((tmp_path / "a").stat().st_mode) == stat.filemode(
        (tmp_path / "plain").stat().st_mode
    )


def test_changing_a_read_tensor_leaves_the_file(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a", {"x": torch.ones(2)}, {})
    tensors, _ = read_tensors(tmp_path / "a", fix="")
    tensors["x"][0] = 7.0
    assert read_tensors(tmp_path / "a", fix="")[0]["x"].tolist() == [1.0, 1.0]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a", {"x": torch.ones(2)}, {})
    shared = torch.ones(2)
    with pytest.raises(RuntimeError, match="share memory"):
        write_tensors(tmp_path / "a", {"x": shared, "y": shared}, {})
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
    assert read_tensors(tmp_path / "a", fix="")[0]["x"].equal(torch.ones(2))


@pytest.mark.parametrize("content", [b"", b"1234567", b"\x08\0\0\0\0\0\0\0{}      ", b"\xff" * 64])
def test_damaged_files_are_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"x": torch.ones(64)}, {})
    path.write_bytes(path.read_bytes()[:-3] if len(content) == 16 else content)
    with pytest.raises(CourseError) as caught:
        read_tensors(path, fix="get it again")
    message = str(caught.value)
    assert message.startswith(f"{path}: expected a whole safetensors file, got: ")
    assert message.endswith("Fix: get it again") and "\n" not in message


def test_an_absent_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="none"):
        read_tensors(tmp_path / "none", fix="")
