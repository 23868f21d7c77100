"""Shared libraries of Linux (System V ABI, ELF-64): the machine and the glibc that they need, and what loading them does not need."""

import re
import struct

MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian
MACHINES = {62: "x86_64", 183: "arm64"}
SECTION_TABLE, PROGRAM_TABLE = 0x28, 0x20
LOADED = 2  # SHF_ALLOC
WITHOUT_BYTES = (0, 8)  # SHT_NULL and SHT_NOBITS


def is_library(data: bytes) -> bool:
    """Tell whether these are the bytes of a library, whatever the file is called."""
    return data.startswith(MAGIC)


def machine(data: bytes) -> str:
    """Return the architecture in Lambda's words, or the number that stands for another."""
    (number,) = struct.unpack_from("<H", data, 18)
    return MACHINES.get(number, f"machine {number}")


def newest_glibc(data: bytes) -> tuple[int, int]:
    """Return the newest version of glibc whose symbols it wants; (0, 0) where it wants none."""
    found = re.findall(rb"\x00GLIBC_(\d+)\.(\d+)", data)
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def stripped(data: bytes) -> bytes:
    """Return the library without symbols and debugging sections, which no loader reads, and without the table of sections.

    What lies between parts that are loaded is overwritten with zeros, so that nothing moves.
    """
    made = bytearray(data)
    for kind, flags, offset, size in _sections(data):
        if not flags & LOADED and kind not in WITHOUT_BYTES:
            made[offset : offset + size] = bytes(size)
    del made[_end_of_what_is_loaded(data) :]
    struct.pack_into("<Q", made, SECTION_TABLE, 0)
    struct.pack_into("<HH", made, 60, 0, 0)
    return bytes(made)


def _sections(data: bytes) -> list[tuple[int, int, int, int]]:
    """Return type, flags, offset and size of each section."""
    (start,) = struct.unpack_from("<Q", data, SECTION_TABLE)
    size, number = struct.unpack_from("<HH", data, 58)
    return [struct.unpack_from("<4xIQ8xQQ", data, start + size * index) for index in range(number)]


def _end_of_what_is_loaded(data: bytes) -> int:
    (start,) = struct.unpack_from("<Q", data, PROGRAM_TABLE)
    size, number = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<8xQ16xQ", data, start + size * index) for index in range(number)]
    ends = [int(offset + length) for offset, length in segments]
    return max(int(start + size * number), *ends)
