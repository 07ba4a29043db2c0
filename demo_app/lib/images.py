"""A picture for each title, drawn without an image library."""

from __future__ import annotations

import hashlib
import struct
import zlib

_CELLS = 8
_CELL = 16  # pixels


def identicon(text: str) -> bytes:
    """Return a PNG (128 by 128 pixels, RGB) that is always the same for *text*.

    Source: PNG specification, third edition, sections 5 and 11.
    """
    digest = hashlib.sha256(text.encode()).digest()
    colour = bytes(64 + byte // 2 for byte in digest[:3])
    rows = []
    for row in range(_CELLS):
        bits = digest[3 + row]
        half = [bool(bits >> column & 1) for column in range(_CELLS // 2)]
        cells = half + half[::-1]
        line = b"".join((colour if cell else b"\xf4\xf4\xf4") * _CELL for cell in cells)
        rows += [b"\0" + line] * _CELL
    size = _CELLS * _CELL
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"IDAT", zlib.compress(b"".join(rows))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def icon(text: str) -> bytes:
    """Return the same picture as an ICO file, which holds the PNG."""
    png = identicon(text)
    size = _CELLS * _CELL
    entry = struct.pack("<BBBBHHII", size, size, 0, 0, 1, 24, len(png), 6 + 16)
    return struct.pack("<HHH", 0, 1, 1) + entry + png


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
