"""Archives whose bytes follow from their contents: no time, owner, mask or order of the machine."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import time
import zipfile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FOLDER = _PROGRAM = 0o755
_FILE = 0o644
_UNIX = 3  # what a zip's attributes are to be read as


class Link(NamedTuple):
    """A symbolic link.

    Attributes:
        to: what it says.
    """

    to: str


class Entry(NamedTuple):
    """What an archive has under a name.

    Attributes:
        content: of a file; or a link.
        runs: whether it is a program.
    """

    content: bytes | Link
    runs: bool = False


def epoch() -> int:
    """The time that everything has, in seconds: as in `./dev build`, 1980, the first a zip knows.

    Source: https://reproducible-builds.org/specs/source-date-epoch/
    """
    return int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))


def folder(place: Path) -> dict[str, Entry]:
    """All files and links below a folder, by their paths in it."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if path.is_symlink():
            found[name] = Entry(Link(os.readlink(path)))
        elif path.is_file():
            found[name] = Entry(path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))
    return found


def untarred(archive: Path) -> dict[str, Entry]:
    """What `tarred` has written, by the paths in the one folder in it."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.partition("/")[2]
            file = tar.extractfile(member) if member.isfile() else None
            if member.issym():
                found[name] = Entry(Link(member.linkname))
            elif file is not None:
                found[name] = Entry(file.read(), bool(member.mode & stat.S_IXUSR))
    return found


def gzipped(content: bytes) -> bytes:
    """The content in gzip's format."""
    return gzip.compress(content, 9, mtime=epoch())


def tarred(top: str, entries: Mapping[str, Entry]) -> bytes:
    """A tar of entries, with the folders that lead to them.

    Args:
        top: the folder that all is in; "" for none.
        entries: by their paths in it.
    """
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, entry in _with_folders(top, entries).items():
            info = tarfile.TarInfo(name)
            info.mtime = epoch()
            info.mode = _PROGRAM if entry is None or entry.runs else _FILE
            if entry is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            elif isinstance(entry.content, Link):
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.content.to, 0o777
                tar.addfile(info)
            else:
                info.size = len(entry.content)
                tar.addfile(info, io.BytesIO(entry.content))
    return file.getvalue()


def zipped(top: str, entries: Mapping[str, Entry]) -> bytes:
    """A zip of entries: of files alone, as it has no links.

    Raises:
        ValueError: there is a link.
    """
    links = [name for name, entry in entries.items() if isinstance(entry.content, Link)]
    if links:
        raise ValueError(f"{links[0]} is a link, which a zip does not have")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, entry in _with_folders(top, entries).items():
            if entry is None or isinstance(entry.content, Link):
                continue  # a zip's folders are in its names
            info = zipfile.ZipInfo(name, time.gmtime(epoch())[:6])
            info.create_system = _UNIX  # else it is this system's
            info.external_attr = (stat.S_IFREG | (_PROGRAM if entry.runs else _FILE)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, entry.content)
    return file.getvalue()


def ar(members: Mapping[str, bytes]) -> bytes:
    """An archive of Unix' own first format (deb(5)).

    Args:
        members: by names of up to 16 letters; in this order.
    """
    whole = b"!<arch>\n"
    for name, content in members.items():
        head = f"{name:<16}{epoch():<12}{0:<6}{0:<6}{0o100644:<8o}{len(content):<10}`\n"
        whole += head.encode() + content + b"\n" * (len(content) % 2)
    return whole


def _with_folders(top: str, entries: Mapping[str, Entry]) -> dict[str, Entry | None]:
    """Sorted; each folder, which is None, before what is in it."""
    whole: dict[str, Entry | None] = {
        (f"{top}/{name}" if top else name): entry for name, entry in entries.items()
    }
    for name in list(whole):
        parts = name.split("/")
        whole |= {"/".join(parts[:count]): None for count in range(1, len(parts))}
    return dict(sorted(whole.items()))
