"""What ties the two forms together: the build's identity, and the folder form as it is carried.

credlatch.spec uses it.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import sys
import zlib
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from PyInstaller.building.api import PYZ

    Toc = list[tuple[str, str, str]]

_SOURCES = {".py", ".spec", ".c", ".h", ".zig", ".manifest"}
_DIGITS = 16  # of the identity: 64 bits, told apart among one user's few builds
# Of a payload: the CRC-32 of what follows; how many files there are, and of each its size, whether
# it is a program, and the length of its name, which follows.
_NUMBER = struct.Struct(">I")  # the first two
_ROW = ">I?H"


def identity(own: Iterable[Path], pyinstaller: str, entries: Iterable[tuple[str, str, str]]) -> str:
    """What a build is made of, in 16 hexadecimal digits: equal for equal builds, whoever builds.

    Args:
        own: what builds it.
        pyinstaller: its version, which stands for its loader.
        entries: all that goes into it.
    """
    total = hashlib.sha256(f"{sys.version}\0{pyinstaller}".encode())
    files = [(file.name, str(file)) for file in own if file.suffix in _SOURCES]
    for name, path in sorted({*files, *((name, path) for name, path, _ in entries)}):
        total.update(f"\0{name}\0".encode())
        total.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return total.hexdigest()[:_DIGITS]


def sources(modules: PYZ, scripts: Toc, binaries: Toc, data: Toc) -> Toc:
    """All files that one form is made of."""
    return [("PYZ.pyz", modules.name, "PYZ"), *scripts, *binaries, *data]


def payload(folder: Path, work: Path) -> Path:
    """The folder form in one file, as the launcher reads it (loader/contents.c).

    Nothing of the machine or of the moment is in it: two builds give the same bytes.
    """
    path = work / "payload"
    files = sorted(file for file in folder.rglob("*") if not file.is_dir())
    packed = zlib.compressobj(9)
    content = bytearray(_NUMBER.pack(len(files)))
    for file in files:
        status = file.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise SystemExit(f"{file} is no file, and the single file carries no others")
        name = file.relative_to(folder).as_posix().encode()
        row = (status.st_size, bool(status.st_mode & stat.S_IXUSR), len(name))
        content += struct.pack(_ROW, *row) + name
    for file in files:
        content += packed.compress(file.read_bytes())
    content += packed.flush()
    path.write_bytes(_NUMBER.pack(zlib.crc32(content)) + content)
    return path


def carried(program: bytes) -> list[tuple[str, bytes]]:
    """The files of the folder form that a single file has inside, by their paths below it.

    Raises:
        ValueError: there is none.
    """
    length = struct.calcsize(_ROW)
    at = program.find(b"_internal/")
    while at >= 0:
        try:
            return _unpacked(program, at - length - _NUMBER.size)
        except (struct.error, UnicodeDecodeError, ValueError, zlib.error):
            at = program.find(b"_internal/", at + 1)
    raise ValueError("it carries no program")


def _unpacked(program: bytes, at: int) -> list[tuple[str, bytes]]:
    """What the bytes from there on are, if they are a payload's after its checksum."""
    (number,) = _NUMBER.unpack_from(program, at)
    at += _NUMBER.size
    rows = []
    for _ in range(number):
        size, _, length = struct.unpack_from(_ROW, program, at)
        at += struct.calcsize(_ROW)
        rows.append((program[at : at + length].decode(), size))
        at += length
    content = zlib.decompressobj().decompress(program[at:])
    if not rows or sum(size for _, size in rows) != len(content):
        raise ValueError("no payload")
    files, start = [], 0
    for name, size in rows:
        files.append((name, content[start : start + size]))
        start += size
    return files
