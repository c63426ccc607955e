"""Replacing a file by a new content, in one step."""

from __future__ import annotations

import os
import stat

from credlatch.system import durable
from credlatch.system.writable import Folder

_BINARY: int = getattr(os, "O_BINARY", 0)
_PRIVATE = stat.S_IRUSR | stat.S_IWUSR


class AtomicWrite:
    """A file's next content, beside it until it is complete.

    Made *before* what fills it is fetched, because it proves that the result can be kept: the
    folder is writable and the disk has room. ``commit`` makes the content durable and then visible
    in one step; until then, and whatever happens, the old content stays. A symbolic link is
    followed where it may be: what it points to is replaced, not the link.

    The file keeps its owner; a new one that root makes gets that of the folder. Nobody but its
    owner may read it, and its owner not more than before.

    One writer at a time: hold the store's lock. What a killed writer left is overwritten.

    Args:
        path: the file, which need not exist; its folder is made, for this user alone.
        room: bytes to reserve; a larger content is still written, if the disk takes it.
        mode: the file's mode, where it holds no secret; None: as above.

    Raises:
        OSError: it cannot be written there, or must not be: it is another user's.
    """

    def __init__(self, path: str, room: int = 0, mode: int | None = None) -> None:
        self._folder = folder = Folder(path)
        self._aside = folder.at(f".{folder.name}.credlatch")
        self._descriptor: int | None = None
        self._pending = False
        try:
            self._begin(room, mode)
        except BaseException:
            self.abandon()
            raise

    def _begin(self, room: int, mode: int | None) -> None:
        folder = self._folder
        before = folder.status()
        folder.remove(self._aside)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
        self._descriptor = folder.open(self._aside, flags, _PRIVATE)
        self._pending = True
        folder.give(self._descriptor, before)
        if mode is None and before is not None:
            mode = stat.S_IRUSR | (before.st_mode & _PRIVATE)
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(self._descriptor, mode)
        if room and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, 0, room)

    def commit(self, data: bytes) -> None:
        """Replace the file by ``data``.

        Raises:
            OSError: it could not be written; the old content stands.
        """
        descriptor, folder = self._descriptor, self._folder
        if descriptor is None:
            raise ValueError("committed or abandoned before")
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.ftruncate(descriptor, len(data))
            durable.to_disk(descriptor)
            self._close()
            folder.rename(self._aside, folder.name)
            self._pending = False
            folder.sync()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Leave the file as it is. Nothing happens after a commit."""
        self._close()
        try:
            if self._pending:
                self._pending = False
                self._folder.remove(self._aside)
        finally:
            self._folder.close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
