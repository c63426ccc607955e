"""A Windows program's file, as the system reads it (Microsoft's "PE Format")."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IMPORTS, _ROW = 1, 20  # which directory; bytes of an entry of it


class Executable:
    """One of them.

    Attributes:
        machine: the number of its kind.
        content: all its bytes.
    """

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        (at,) = struct.unpack_from("<I", self.content, 0x3C)
        assert self.content[at : at + 4] == b"PE\0\0"
        self.machine, sections, _, _, _, optional = struct.unpack_from(
            "<HHIIIH", self.content, at + 4
        )
        self._directories = at + 24 + 112  # of PE32+
        table = at + 24 + optional
        self._sections: list[tuple[int, int, int, int]] = [
            struct.unpack_from("<IIII", self.content, table + 40 * number + 8)
            for number in range(sections)
        ]

    def _at(self, address: int) -> int:
        """Where in the file an address in memory is."""
        return next(
            address - start + place
            for _, start, size, place in self._sections
            if start <= address < start + size
        )

    def imports(self) -> set[str]:
        """The libraries that are loaded with it."""
        (address,) = struct.unpack_from("<I", self.content, self._directories + 8 * _IMPORTS)
        found, at = set(), self._at(address)
        while name := struct.unpack_from("<IIIII", self.content, at)[3]:
            start = self._at(name)
            found.add(self.content[start : self.content.index(b"\0", start)].decode().lower())
            at += _ROW
        return found
