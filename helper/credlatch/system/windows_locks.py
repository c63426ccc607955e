"""Lock files on Windows: the first byte, as the libraries of Rust and of Python lock it."""

from __future__ import annotations

import errno
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_POLL = 0.05  # seconds between two tries
# winbase.h and winerror.h
_OPEN_ALWAYS, _OPEN_REPARSE_POINT, _SHARING_VIOLATION = 4, 0x0020_0000, 32

if sys.platform == "win32":

    def locked(path: str, seconds: float) -> Callable[[], object] | None:
        """Lock a file, made if need be: what releases it; None when somebody else keeps it.

        Args:
            path: the lock file; its folder is made too.
            seconds: how long to wait.

        Raises:
            OSError: it cannot be made.
        """
        import msvcrt

        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_BINARY | os.O_NOINHERIT)

        def release() -> None:
            # Closing it does so as well, but at a moment of the system's choosing.
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
            os.close(descriptor)

        deadline = time.monotonic() + seconds
        try:
            while True:
                try:
                    msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                except OSError:
                    # Held, whatever it says: in Wine it has the cause of what failed before.
                    if time.monotonic() >= deadline:
                        os.close(descriptor)
                        return None
                    time.sleep(_POLL)
                else:
                    return release
        except BaseException:
            os.close(descriptor)
            raise

    def at_once(path: str) -> int:
        """A descriptor of a file, made if need be, that nobody else can open until it is closed.

        Unlike the lock of a byte, a process that inherits it keeps it. No link is followed.

        Raises:
            BlockingIOError: somebody else has it open.
            OSError: it cannot be made.
        """
        import _winapi
        import msvcrt

        try:
            handle = _winapi.CreateFile(
                path,
                _winapi.GENERIC_READ | _winapi.GENERIC_WRITE,
                0,
                0,
                _OPEN_ALWAYS,
                _OPEN_REPARSE_POINT,
                0,
            )
        except OSError as error:
            if error.winerror == _SHARING_VIOLATION:
                raise BlockingIOError(errno.EAGAIN, "somebody else has it") from None
            raise
        return msvcrt.open_osfhandle(handle, os.O_RDWR)
