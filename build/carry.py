"""What ties the two forms together: the build's identity, and the folder form as an archive.

credlatch.spec uses it.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import tarfile
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from PyInstaller.building.api import PYZ

    Toc = list[tuple[str, str, str]]

if not hasattr(tarfile, "data_filter"):
    raise SystemExit("the single file unpacks itself with tarfile's filters: needs Python 3.11.4")

_DIGITS = 16  # of the identity: 64 bits, told apart among one user's few builds
_PROGRAM = 0o755
_FILE = 0o644


def identity(build: Path, pyinstaller: str, entries: Iterable[tuple[str, str, str]]) -> str:
    """What a build is made of, in 16 hexadecimal digits: equal for equal builds, whoever builds.

    Args:
        build: this folder.
        pyinstaller: its version, which stands for its loader.
        entries: all that goes into either form.
    """
    total = hashlib.sha256(f"{sys.version}\0{pyinstaller}".encode())
    own = [(file.name, str(file)) for file in build.iterdir() if file.suffix in {".py", ".spec"}]
    for name, path in sorted({*own, *((name, path) for name, path, _ in entries)}):
        total.update(f"\0{name}\0".encode())
        total.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return total.hexdigest()[:_DIGITS]


def sources(modules: PYZ, scripts: Toc, binaries: Toc, data: Toc) -> Toc:
    """All files that one form is made of."""
    return [("PYZ.pyz", modules.name, "PYZ"), *scripts, *binaries, *data]


def archive(folder: Path, identity: str, work: Path) -> tuple[str, str, str]:
    """The folder form as an entry of the single file, which the loader leaves where it is.

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
