"""The kept conversion: made once, checked each time, made again when damaged, never in halves."""

import errno
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from llm_course.errors import CourseError
from llm_course.pretrained import conversion_cache, tensor_files
from llm_course.pretrained.conversion_cache import Converted, checksum, converted, kept_path

TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor([1, 2], dtype=torch.int64)}


class Converter:
    """Counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, source: Path) -> Converted:
        self.calls += 1
        return dict(TENSORS), {"config": f"{source.stat().st_size} bytes"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


def same(found: Mapping[str, torch.Tensor]) -> bool:
    return set(found) == set(TENSORS) and all(found[k].equal(TENSORS[k]) for k in TENSORS)


def test_the_second_time_nothing_is_converted(cache: Path, source: Path) -> None:
    convert = Converter()
    for _ in range(2):
        tensors, text = converted(source, convert)
        assert same(tensors) and text == {"config": "7 bytes"}
    assert convert.calls == 1
    assert [path.name for path in cache.iterdir()] == [kept_path(source).name]


def test_another_source_or_format_is_converted_anew(
    cache: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = Converter()
    converted(source, convert)
    source.write_bytes(b"WEIGHTS")
    converted(source, convert)
    monkeypatch.setattr(conversion_cache, "FORMAT_VERSION", conversion_cache.FORMAT_VERSION + 1)
    converted(source, convert)
    assert convert.calls == 3
    assert len(list(cache.iterdir())) == 3


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda data: b"",
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b"\0",
    "a bit of a weight": lambda data: flip(data, len(data) - 1),
    "a bit of the length": lambda data: flip(data, 0),
    "not safetensors": lambda data: b"\xff" * len(data),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_copy_is_said_and_made_again(
    cache: Path, source: Path, damage: Callable[[bytes], bytes]
) -> None:
    convert = Converter()
    converted(source, convert)
    path = kept_path(source)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match=r"Converting model\.gguf again\. .*safetensors"):
        tensors, _ = converted(source, convert)
    assert same(tensors) and convert.calls == 2
    assert same(converted(source, convert)[0]) and convert.calls == 2, "it was not kept"


def test_no_changed_bit_goes_unnoticed(cache: Path, source: Path) -> None:
    converted(source, Converter())
    path = kept_path(source)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(flip(whole, place))
        with pytest.raises(CourseError):
            conversion_cache._read(path)


def test_a_full_disk_leaves_nothing(
    cache: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tensor_files, "save_file", fill_up)
    with pytest.raises(CourseError, match="no space left .*Fix: free some space"):
        converted(source, Converter())
    assert list(cache.iterdir()) == []


def test_the_librarys_own_error_for_a_full_disk_is_understood(
    cache: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(tensors: object, path: Path, metadata: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(tensor_files, "save_file", fill_up)
    with pytest.raises(CourseError, match="no space left .*Fix: free some space"):
        converted(source, Converter())
    assert list(cache.iterdir()) == []


def test_a_failed_conversion_leaves_nothing(cache: Path, source: Path) -> None:
    def fail(source: Path) -> Converted:
        raise CourseError("a.gguf: unsupported")

    with pytest.raises(CourseError, match="unsupported"):
        converted(source, fail)
    assert list(cache.iterdir()) == []


def test_an_absent_source_is_named(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"none\.gguf: cannot be read"):
        converted(tmp_path / "none.gguf", Converter())


def test_a_missing_cache_folder_is_made(cache: Path, source: Path) -> None:
    shutil.rmtree(cache)
    converted(source, Converter())
    assert kept_path(source).exists()


def test_the_checksum_covers_names_types_shapes_values_and_text() -> None:
    ones = torch.ones(4, dtype=torch.bfloat16)
    base = checksum({"a": ones}, {"t": "x"})
    others = [
        checksum({"b": ones}, {"t": "x"}),
        checksum({"a": ones.view(torch.float16)}, {"t": "x"}),
        checksum({"a": ones.reshape(2, 2)}, {"t": "x"}),
        checksum({"a": ones * 2}, {"t": "x"}),
        checksum({"a": ones}, {"t": "y"}),
    ]
    assert len({base, *others}) == 6
    columns = torch.arange(6.0).reshape(2, 3).T
    assert checksum({"a": columns}, {}) == checksum({"a": columns.contiguous()}, {})
