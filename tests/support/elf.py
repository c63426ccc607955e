"""Made-up programs and libraries for Linux: no more of them than tells what they ask for."""

from __future__ import annotations

import struct
from typing import NamedTuple

X86_64, AARCH64 = 62, 183
_HEADER, _ROW = 64, 56  # bytes
_ALL = 1 << 20  # what is loaded, from address 0 on: all of the file


class Elf(NamedTuple):
    """A file.

    Attributes:
        machine: by its number (elf.h).
        needed: the libraries that it is linked with.
        wants: versions of symbols, by the library that has them.
        runpath: where it looks; "" for nowhere.
        interpreter: likewise.
    """

    machine: int = X86_64
    needed: tuple[str, ...] = ("libc.so.6",)
    wants: tuple[tuple[str, tuple[str, ...]], ...] = ()
    runpath: str = ""
    interpreter: str = ""

    def content(self) -> bytes:
        """What is in the file (System V ABI; LSB, "Symbol Versioning")."""
        strings, places = b"\0", {}
        names = [name for _, names in self.wants for name in names]
        for text in (*self.needed, *(of for of, _ in self.wants), *names, self.runpath):
            places[text] = len(strings)
            strings += text.encode() + b"\0"
        versions = b""
        for at, (of, wanted) in enumerate(self.wants):
            step = 0 if at == len(self.wants) - 1 else 16 * (1 + len(wanted))
            versions += struct.pack("<HHIII", 1, len(wanted), places[of], 16, step)
            for number, name in enumerate(wanted):
                following = 0 if number == len(wanted) - 1 else 16
                versions += struct.pack("<IHHII", 0, 0, 2, places[name], following)
        start = _HEADER + 3 * _ROW
        interpreter = self.interpreter.encode() + b"\0"
        at_strings = start + len(interpreter)
        at_versions = at_strings + len(strings)
        at_dynamic = at_versions + len(versions)
        entries = [(1, places[name]) for name in self.needed] + [(5, at_strings)]
        entries += [(29, places[self.runpath])] if self.runpath else []
        entries += [(0x6FFFFFFE, at_versions), (0x6FFFFFFF, len(self.wants))] if versions else []
        dynamic = b"".join(struct.pack("<QQ", *entry) for entry in [*entries, (0, 0)])
        rows = [(1, 0, _ALL), (2, at_dynamic, len(dynamic)), (3, start, len(interpreter))]
        table = b"".join(
            struct.pack("<IIQQQQQQ", kind, 4, at, at, at, size, size, 1)
            for kind, at, size in (rows if self.interpreter else rows[:2])
        ).ljust(3 * _ROW, b"\0")
        number = 3 if self.interpreter else 2
        ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
        header = struct.pack(
            "<HHIQQQIHHHHHH", 3, self.machine, 1, 0, _HEADER, 0, 0, _HEADER, _ROW, number, 0, 0, 0
        )
        return ident + header + table + interpreter + strings + versions + dynamic
