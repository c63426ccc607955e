"""What ties the two forms together: the build's identity, and the folder form as it is carried.

credlatch.spec uses it.
"""

from __future__ import annotations

import gzip
import hashlib
import stat
import struct
import sys
import tarfile
import zlib
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from PyInstaller.building.api import PYZ

    Toc = list[tuple[str, str, str]]

if sys.platform == "win32" and not hasattr(tarfile, "data_filter"):
    raise SystemExit("the single file unpacks itself with tarfile's filters: needs Python 3.11.4")

_SOURCES = {".py", ".spec", ".c", ".h", ".zig"}
_DIGITS = 16  # of the identity: 64 bits, told apart among one user's few builds
_PROGRAM = 0o755
_FILE = 0o644


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
    with path.open("wb") as carried:
        carried.write(struct.pack(">I", len(files)))
        for file in files:
            status = file.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise SystemExit(f"{file} is no file, and the single file carries no others")
            name = str(file.relative_to(folder)).encode()
            row = (status.st_size, bool(status.st_mode & stat.S_IXUSR), len(name))
            carried.write(struct.pack(">I?H", *row) + name)
        for file in files:
            carried.write(packed.compress(file.read_bytes()))
        carried.write(packed.flush())
    return path


def archive(folder: Path, identity: str, work: Path) -> tuple[str, str, str]:
    """The folder form as an entry of Windows' single file, which the loader leaves where it is.

    Nothing of the machine or of the moment is in it: two builds give the same bytes.
    """
    path = work / f"{identity}.tar.gz"
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for entry in sorted(folder.rglob("*")):
            tar.add(entry, str(entry.relative_to(folder)), recursive=False, filter=_nobodys)
    return (path.name, str(path), "PKG")


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = _PROGRAM if member.isdir() or member.mode & 0o100 else _FILE
    return member
