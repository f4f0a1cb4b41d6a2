"""The log of a run as TensorBoard reads it, written without TensorBoard.

An event file is a sequence of records: the length of the data as 8 bytes, its checksum, the data,
and the checksum of that. The data is a protocol buffer ``Event``: the wall time, the step, and a
``Summary`` whose values have a tag and a number. Only numbers are written here.
"""

import os
import platform
import struct
import time
from collections.abc import Mapping
from pathlib import Path


def crc32c(data: bytes) -> int:
    """The checksum CRC-32C (Castagnoli), bit by bit through a table.

    >>> hex(crc32c(b"123456789"))  # the check value of every catalogue of CRCs
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def scalar_event(values: Mapping[str, float], step: int, wall_time: float) -> bytes:
    """An ``Event`` with numbers as a protocol buffer.

    Fields: ``Event.wall_time = 1`` (double), ``Event.step = 2``, ``Event.summary = 5``;
    ``Summary.value = 1``; ``Value.tag = 1``, ``Value.simple_value = 2`` (float).

    Args:
        values: numbers by their tags.
        step: of the run.
        wall_time: seconds since 1970.
    """
    summary = b"".join(
        _field(1, _field(1, tag.encode()) + b"\x15" + struct.pack("<f", value))
        for tag, value in values.items()
    )
    return b"\x09" + struct.pack("<d", wall_time) + b"\x10" + _varint(step) + _field(5, summary)


def record_bytes(data: bytes) -> bytes:
    """One record of an event file."""
    length = struct.pack("<Q", len(data))
    return length + _masked_crc(length) + data + _masked_crc(data)


class EventFile:
    """A file in a folder that ``tensorboard --logdir FOLDER`` shows.

    Each run of a program writes a file of its own; TensorBoard puts them together by step.

    Args:
        folder: where.
        wall_time: seconds since 1970; now, if not given.
    """

    def __init__(self, folder: Path, wall_time: float | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time() if wall_time is None else wall_time
        name = f"events.out.tfevents.{int(now):010d}.{platform.node()}.{os.getpid()}"
        self.path = folder / name
        version = b"\x09" + struct.pack("<d", now) + _field(3, b"brain.Event:2")
        self.path.write_bytes(record_bytes(version))

    def write(self, values: Mapping[str, float], step: int) -> None:
        """Add the numbers of a step, at once."""
        with self.path.open("ab") as file:
            file.write(record_bytes(scalar_event(values, step, time.time())))


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_TABLE = [_entry(byte) for byte in range(256)]


def _masked_crc(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def _field(number: int, data: bytes) -> bytes:
    """A field that holds bytes: its number, their length, and they."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data
