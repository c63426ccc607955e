"""Files with secrets in them: read with care, written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys

from credlatch.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SIZE = 64 * 1024 * 1024  # bytes: some hundred times what the largest store needs
_BINARY: int = getattr(os, "O_BINARY", 0)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Reading:
    """A store's file while it is read; leaving the ``with`` block closes it.

    Attributes:
        path: the name it was opened by.
        status: what it was when it was opened.
    """

    __slots__ = ("_descriptor", "path", "status")

    def __init__(self, path: str, descriptor: int, status: os.stat_result) -> None:
        self.path = path
        self.status = status
        self._descriptor = descriptor

    def __enter__(self) -> None:
        """Nothing is left to do."""

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def text(self, limit: int = MAX_SIZE) -> str:
        """All of it (UTF-8, a byte order mark dropped).

        Raises:
            StoreError: it cannot be read, or is no text of at most ``limit`` bytes.
        """
        path, size = self.path, self.status.st_size
        if stat.S_ISCHR(self.status.st_mode):
            limit = 0  # /dev/null switches a store off; no other device is one
        elif not stat.S_ISREG(self.status.st_mode):
            raise StoreError(f"{path} is not a file: move it away")
        try:
            data = b"" if size > limit else _read_all(self._descriptor, limit)
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {reason(error)}") from None
        if max(size, len(data)) > limit:
            raise StoreError(f"{path} is larger than {limit} bytes: it is not a credential store")
        try:
            return data.decode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8")
        except UnicodeDecodeError:
            raise StoreError(f"{path} is not UTF-8 text") from None

    def warn_if_open(self, warn: Callable[[str], None]) -> None:
        """Tell ``warn`` if others than its owner may read what is in it."""
        mode = self.status.st_mode
        if (
            sys.platform != "win32"
            and stat.S_ISREG(mode)
            and mode & _OTHERS
            and self.status.st_size
        ):
            warn(f"{self.path} can be read by other users: chmod 600 {self.path}")


def opened(path: str) -> Reading | None:
    """A store's file, to be read; None if there is none.

    Raises:
        StoreError: it is there and cannot be opened.
    """
    try:
        # Not blocking, so that a FIFO without a writer is an error and no hang.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from None
    try:
        return Reading(path, descriptor, os.fstat(descriptor))
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"{path} cannot be read: {reason(error)}") from None


def read(path: str, warn: Callable[[str], None] | None = None, limit: int = MAX_SIZE) -> str | None:
    """The text of a store's file, or None if there is no file.

    A file that others may read is read all the same, and ``warn`` is told.

    Raises:
        StoreError: it is there and cannot be read, or is no text of at most ``limit`` bytes.
    """
    file = opened(path)
    if file is None:
        return None
    with file:
        text = file.text(limit)
        if warn is not None:
            file.warn_if_open(warn)
        return text


def _read_all(descriptor: int, limit: int) -> bytes:
    chunks = []
    size = 0
    while size <= limit and (chunk := os.read(descriptor, min(limit + 1, 1024 * 1024))):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def reason(error: OSError) -> str:
    """What went wrong, in the operating system's words and without the path."""
    if isinstance(error, TimeoutError):
        return "timed out"  # Python's own has no words of the system's
    return (error.strerror or type(error).__name__).lower()


class AtomicWrite:
    """A file's next content, beside it until it is complete.

    Made *before* what fills it is fetched, because it proves that the result can be kept: the
    folder is writable and the disk has room. ``commit`` makes the content durable and then visible
    in one step; until then, and whatever happens, the old content stays. A symbolic link is
    followed: what it points to is replaced, not the link.

    One writer at a time: hold the store's lock. What a killed writer left is overwritten.

    Args:
        path: the file, which need not exist; its folder is made, for this user alone.
        room: bytes to reserve; a larger content is still written, if the disk takes it.

    Raises:
        OSError: it cannot be written there.
    """

    def __init__(self, path: str, room: int = 0) -> None:
        self._target = os.path.realpath(path)
        folder, name = os.path.split(self._target)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._aside = os.path.join(folder, f".{name}.credlatch")
        self._folder = folder
        remove(self._aside)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | _BINARY
        self._descriptor: int | None = os.open(self._aside, flags, 0o600)
        self._pending = True
        try:
            if room and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._descriptor, 0, room)
        except BaseException:
            self.abandon()
            raise

    def commit(self, data: bytes) -> None:
        """Replace the file by ``data``.

        Raises:
            OSError: it could not be written; the old content stands.
        """
        descriptor = self._descriptor
        if descriptor is None:
            raise ValueError("committed or abandoned before")
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.ftruncate(descriptor, len(data))
            os.fsync(descriptor)
            self._close()
            os.replace(self._aside, self._target)
            self._pending = False
        except BaseException:
            self.abandon()
            raise
        _sync_folder(self._folder)

    def abandon(self) -> None:
        """Leave the file as it is. Nothing happens after a commit."""
        self._close()
        if self._pending:
            self._pending = False
            remove(self._aside)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def remove(path: str) -> None:
    """Remove a file that may not be there."""
    try:  # noqa: SIM105 - contextlib is not imported on the path of every call
        os.unlink(path)
    except FileNotFoundError:
        pass


def _sync_folder(folder: str) -> None:
    # Without it the rename may be lost with the power; some file systems cannot, and need not.
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
