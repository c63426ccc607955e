"""The folder form inside the single file, where PyInstaller's loader leaves it alone.

A frozen executable ends with an archive: the entries, a table of them, and a record of fixed length
that says where the table is. All numbers are big-endian. (Documented by PyInstaller in
bootloader/src/pyi_archive.h and PyInstaller/archive/readers.py.)
"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import time
import zlib

from credlatch.errors import PlaceError
from credlatch.system.files import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_RECORD = struct.Struct("!8s3I")  # its mark; lengths: of all, of what is before the table, of that
_RECORD_LENGTH = 88  # bytes: the version and the library of Python follow
_MARK = b"MEI\014\013\012\013\016"
_ENTRY = struct.Struct("!IIIIBc")  # its length, offset, two lengths of its data, packed?, kind
_CHUNK = 1024 * 1024


class _Part(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, file: io.BufferedReader, begin: int, length: int) -> None:
        file.seek(begin)
        self._file = file
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view[: min(len(view), self._left)])
        self._left -= count
        return count


def unpack(program: str, name: str, folder: str) -> None:
    """Unpack an archive that an executable carries.

    Args:
        program: the executable.
        name: what the archive is called in it.
        folder: where to; it is there, and empty.

    Raises:
        PlaceError: the executable does not carry it, or not whole.
        OSError: the folder does not take it.
    """
    try:
        file = open(program, "rb")  # noqa: SIM115 - what goes wrong later is another matter
    except OSError as error:
        raise PlaceError(f"{program} cannot be read: {reason(error)}") from None
    try:
        with file:
            begin, length = _find(file, name.encode())
            packed = gzip.GzipFile(fileobj=_Part(file, begin, length))
            with tarfile.open(fileobj=packed, mode="r|") as archive:
                archive.extractall(folder, filter=_member)  # noqa: S202 - with a filter
            while packed.read(_CHUNK):
                pass  # its checksum is at the end
    except (gzip.BadGzipFile, zlib.error, EOFError, tarfile.TarError, struct.error) as error:
        raise PlaceError(
            f"{program} is damaged ({type(error).__name__}): put a fresh copy in its place"
        ) from None


def _find(file: io.BufferedReader, name: bytes) -> tuple[int, int]:
    """Where an entry begins in the file, and how many bytes it has.

    Raises:
        PlaceError: there is none of that name.
    """
    record = _last(file)
    if record >= 0:
        file.seek(record)
        _, whole, before, table = _RECORD.unpack(file.read(_RECORD.size))
        start = record + _RECORD_LENGTH - whole
        file.seek(start + before)
        entries = memoryview(file.read(table))
        while entries:
            length, offset, size, _, _, _ = _ENTRY.unpack_from(entries)
            if bytes(entries[_ENTRY.size : length]).rstrip(b"\0") == name:
                return start + offset, size
            entries = entries[max(length, _ENTRY.size) :]
    raise PlaceError(f"{file.name} has been replaced, or damaged, while it ran: call it again")


def _last(file: io.BufferedReader) -> int:
    """Where the last record begins, which headers or a signature may follow; -1: nowhere."""
    end = file.seek(0, io.SEEK_END)
    while end > 0:
        begin = max(0, end - _CHUNK)
        file.seek(begin)
        # A mark may lie across the border of two chunks.
        found = file.read(min(_CHUNK, end - begin) + len(_MARK) - 1).rfind(_MARK)
        if found >= 0:
            return begin + found
        end = begin
    return -1


def _member(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """A file as it is unpacked: nothing outside the folder, for its user alone, and of today.

    What cleans caches by age would take it away at once otherwise.
    """
    checked = tarfile.data_filter(member, folder)
    program = member.isdir() or member.mode & stat.S_IXUSR
    mode = stat.S_IRWXU if program else stat.S_IRUSR | stat.S_IWUSR
    return checked and checked.replace(mtime=int(time.time()), mode=mode, deep=False)
