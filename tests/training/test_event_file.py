"""Event files against bytes that TensorBoard 2.20 wrote, and a reader written from the format.

TensorBoard is no dependency of the course: what its own protocol buffers give for one event was
recorded once, in hexadecimal.
"""

import struct

import pytest

from llm_course.training.event_file import EventFile, crc32c, record_bytes, scalar_event

EVENT = bytes.fromhex(
    "0900000000004a934010ac022a230a0b0a046c6f737315000020400a140a0d6c6561726e696e675f"
    "72617465156f12833a"
)
"""Event(wall_time=1234.5, step=300, summary={"loss": 2.5, "learning_rate": 1e-3})."""

RECORD = bytes.fromhex(
    "31000000000000009d8383e90900000000004a934010ac022a230a0b0a046c6f737315000020400a"
    "140a0d6c6561726e696e675f72617465156f12833a4071b716"
)
"""The same with its length and its two masked checksums."""

VERSION = bytes.fromhex("0900000000004a93401a0d627261696e2e4576656e743a32")
"""Event(wall_time=1234.5, file_version="brain.Event:2")."""


def test_an_event_is_tensorboards_own():
    values = {"loss": 2.5, "learning_rate": 1e-3}
    assert scalar_event(values, step=300, wall_time=1234.5) == EVENT
    assert record_bytes(EVENT) == RECORD


@pytest.mark.parametrize(
    ("data", "crc"),
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
)
def test_the_checksum_has_the_published_values(data, crc):
    """RFC 3720, appendix B.4."""
    assert crc32c(data) == crc


def records(content: bytes) -> list[bytes]:
    """The data of all records, by their lengths alone."""
    found = []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        found.append(content[12 : 12 + length])
        assert content[: 16 + length] == record_bytes(found[-1])
        content = content[16 + length :]
    return found


def test_a_file_begins_with_its_version_and_grows_by_the_step(tmp_path):
    file = EventFile(tmp_path / "tensorboard", wall_time=1234.5)
    assert file.path.name.startswith("events.out.tfevents.0000001234.")
    assert records(file.path.read_bytes()) == [VERSION]
    file.write({"loss": 2.5}, step=7)
    file.write({"loss": 1.5, "grad_norm": 0.5}, step=100_000)
    _, first, second = records(file.path.read_bytes())
    (wall_time,) = struct.unpack("<d", first[1:9])
    assert wall_time > 1e9
    assert first == scalar_event({"loss": 2.5}, 7, wall_time)
    assert b"grad_norm" in second and struct.pack("<f", 1.5) in second
