"""Archives whose bytes follow from their contents: no time, owner, mask or order of the machine."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = _PROGRAM = 0o755
_FILE = 0o644
_UNIX = 3  # what a zip's attributes are to be read as


class Entry(NamedTuple):
    """What an archive has under a name.

    Attributes:
        runs: whether it is a program.
        content: the file; or what a link says.
    """

    runs: bool
    content: Path | str


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
            found[name] = Entry(False, os.readlink(path))
        elif path.is_file():
            found[name] = Entry(bool(path.stat().st_mode & stat.S_IXUSR), path)
    return found


def tarred(archive: Path, top: str, entries: Mapping[str, Entry]) -> None:
    """Write a .tar.gz.

    Args:
        archive: the file.
        top: the folder that all is in; "" for none.
        entries: by their paths in it.
    """
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=epoch()) as packed,
    ):
        write_tar(packed, top, entries)


def write_tar(file: gzip.GzipFile, top: str, entries: Mapping[str, Entry]) -> None:
    """Write a tar, with the folders that lead to the entries."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, entry in _with_folders(top, entries).items():
            info = tarfile.TarInfo(name)
            info.mtime = epoch()
            info.mode = _PROGRAM if entry is None or entry.runs else _FILE
            if entry is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            elif isinstance(entry.content, str):
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.content, 0o777
                tar.addfile(info)
            else:
                info.size = entry.content.stat().st_size
                with entry.content.open("rb") as content:
                    tar.addfile(info, content)


def zipped(archive: Path, top: str, entries: Mapping[str, Entry]) -> None:
    """Write a .zip, which has no links.

    Raises:
        ValueError: there is a link.
    """
    links = [name for name, entry in entries.items() if isinstance(entry.content, str)]
    if links:
        raise ValueError(f"{links[0]} is a link, which a zip does not have")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, entry in _with_folders(top, entries).items():
            if entry is None or not isinstance(entry.content, Path):
                continue  # a zip's folders are in its names
            info = zipfile.ZipInfo(name, time.gmtime(epoch())[:6])
            info.create_system = _UNIX  # else it is this system's
            info.external_attr = (stat.S_IFREG | (_PROGRAM if entry.runs else _FILE)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, entry.content.read_bytes())


def _with_folders(top: str, entries: Mapping[str, Entry]) -> dict[str, Entry | None]:
    """Sorted; each folder, which is None, before what is in it."""
    whole: dict[str, Entry | None] = {
        (f"{top}/{name}" if top else name): entry for name, entry in entries.items()
    }
    for name in list(whole):
        whole |= {str(above): None for above in Path(name).parents if str(above) != "."}
    return dict(sorted(whole.items()))
