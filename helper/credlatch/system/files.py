"""Files with secrets in them, read with care."""

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
# Not blocking, so that a FIFO without a writer is an error and no hang.
_READ: int = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)


class Reading:
    """A store's file while it is read; leaving the ``with`` block closes it.

    Attributes:
        path: the name it was opened by.
        status: what it was when it was opened.
        told: whether it has been said already that others may change it.
    """

    __slots__ = ("descriptor", "path", "status", "told")

    def __init__(
        self, path: str, descriptor: int, status: os.stat_result, *, told: bool = False
    ) -> None:
        self.path = path
        self.status = status
        self.told = told
        self.descriptor = descriptor

    def __enter__(self) -> None:
        """Nothing is left to do."""

    def __exit__(self, *_: object) -> None:
        close(self.descriptor)

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
            data = b"" if size > limit else _read_all(self.descriptor, limit)
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
            and not self.told
        ):
            warn(f"{self.path} can be read by other users: chmod 600 {self.path}")


def opened(path: str, named: Callable[[str], None] | None = None) -> Reading | None:
    """A store's file, to be read; None if there is none.

    Args:
        path: the file.
        named: for one that the caller's environment names: told where every user may change it.
            Anywhere else such a file is refused.

    Raises:
        StoreError: it is there and cannot be opened, or must not be believed (``owners.doubt``).
    """
    try:
        try:
            descriptor = os.open(path, _READ | _NO_LINK)
        except OSError:
            if not os.path.islink(path):
                raise
            _believe(path, os.lstat(path), named)
            descriptor = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from None
    except ValueError:  # with a NUL, or characters that are none: a file may name anything
        raise StoreError(f"{path} cannot be read: no file has such a name") from None
    try:
        status = os.fstat(descriptor)
        return Reading(path, descriptor, status, told=_believe(path, status, named))
    except OSError as error:
        close(descriptor)
        raise StoreError(f"{path} cannot be read: {reason(error)}") from None
    except StoreError:
        close(descriptor)
        raise


def _believe(path: str, status: os.stat_result, named: Callable[[str], None] | None) -> bool:
    """See that a file, or a link, is nobody's who may have put it there to be believed.

    Returns:
        Whether it is believed although every user may change it, and ``named`` was told.

    Raises:
        StoreError: it must not be believed.
    """
    mode = status.st_mode
    if sys.platform == "win32" or stat.S_ISCHR(mode):
        return False
    open_to_all = stat.S_ISREG(mode) and mode & stat.S_IWOTH
    if status.st_uid in {0, os.geteuid()} and not open_to_all:
        return False
    from credlatch.system import owners

    why = owners.stranger(path, status)
    if why:
        raise StoreError(why)
    if not open_to_all or owners.is_out_of_reach(path, status):
        return False
    if named is None or not owners.is_trusted(status.st_uid):
        raise StoreError(owners.open_to_all(path, status))
    named(owners.open_to_all(path, status))
    return True


def read(
    path: str,
    warn: Callable[[str], None] | None = None,
    limit: int = MAX_SIZE,
    named: Callable[[str], None] | None = None,
) -> str | None:
    """The text of a store's file, or None if there is no file.

    A file that others may read is read all the same, and ``warn`` is told; ``named`` is as for
    ``opened``.

    Raises:
        StoreError: it is there and cannot be read, or is no text of at most ``limit`` bytes.
    """
    file = opened(path, named)
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


def close(descriptor: int) -> None:
    """Close what nothing was written to: it is closed whatever the system says (close(2))."""
    try:  # noqa: SIM105 - contextlib costs more than all of this
        os.close(descriptor)
    except OSError:
        pass


shortages = 0
"""How often this process had no descriptor or memory left: what it says then is of no store."""


def is_short(error: BaseException) -> bool:
    """Whether what went wrong is such a shortage, which is counted."""
    import errno

    global shortages  # noqa: PLW0603 - see its docstring
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    found = cause is not None and cause.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
    shortages += found
    return found


def reason(error: OSError) -> str:
    """What went wrong, in the operating system's words and without the path."""
    is_short(error)
    if isinstance(error, TimeoutError):
        return "timed out"  # Python's own has no words of the system's
    words = error.strerror
    if not words:
        return type(error).__name__.lower()
    # There may be a path in them; and musl says "I/O error".
    return words[0].lower() + words[1:] if words[1:2].islower() else words
