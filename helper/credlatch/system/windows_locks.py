"""Lock files on Windows: the first byte, as the libraries of Rust and of Python lock it."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_POLL = 0.05  # seconds between two tries

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
