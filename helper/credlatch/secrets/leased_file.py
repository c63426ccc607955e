"""A secret's file on Linux: whoever opens it waits until it has been written for them.

The kernel holds a reader who opens a file that another process has a write lease on, and tells that
process, which may first write what is to be read (fcntl(2), "Leases"). Before that, the next file
is put in the place of the one that is opened: so nothing lies in the folder but files without a
secret. Unlike a FIFO it can be read by several at once, each of whom gets it whole: the steps of a
build that run side by side open their secrets in the same millisecond, and would share the bytes of
one FIFO between them.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
from contextlib import suppress

from credlatch.secrets.secret_file import SecretFile
from credlatch.secrets.source import MAX_SIZE, UNANSWERED

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES = 20
_PAUSE = 0.05  # seconds between two tries


class LeasedFile(SecretFile):
    """One secret's file, and the thread that answers its readers.

    The process that has it must take SIGIO, and then call ``look``.
    """

    def __init__(
        self, path: str, answer: Callable[[], bytes], lost: Callable[[OSError], None]
    ) -> None:
        self._asked = threading.Event()
        super().__init__(path, answer, lost)

    def look(self) -> None:
        """See whether somebody has opened it."""
        self._asked.set()

    def _place(self) -> None:
        """Put a file without a secret there, and hold whoever opens it."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._beside, flags, 0o600)
        try:
            os.write(descriptor, UNANSWERED)
            _hold(descriptor)
            os.replace(self._beside, self._path)
        except OSError:
            os.close(descriptor)
            os.unlink(self._beside)
            raise
        self._descriptor = descriptor

    def _serve(self) -> None:
        while True:
            self._asked.wait()
            # Before the look: who comes after it sets it again.
            self._asked.clear()
            if fcntl.fcntl(self._descriptor, fcntl.F_GETLEASE) == fcntl.F_WRLCK:
                continue  # another file was meant
            with self._placing:
                if not self._open:
                    return
                self.answered += 1
                opened = self._descriptor
                self._place_next()
                last = not self._open
            # For who is let through without us, because we are killed or too slow.
            _refuse(opened)
            try:
                _release(opened, self._answer())
            except OSError as error:
                self._lost(error)
            if last:
                return


def _hold(descriptor: int) -> None:
    """Hold whoever opens a file that nobody has open."""
    for left in reversed(range(_TRIES)):
        try:
            _lease(descriptor, fcntl.F_WRLCK)
        except BlockingIOError:
            # Something that looks into every new file (an indexer, a scanner) was quicker.
            if not left:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _release(descriptor: int, data: bytes) -> None:
    """Let the readers who wait have what they came for.

    Raises:
        OSError: there is no room for it, and they have what a build refuses.
    """
    try:
        view = memoryview(data)
        at = 0
        while at < len(data):
            at += os.pwrite(descriptor, view[at:], at)
        os.ftruncate(descriptor, len(data))
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        _refuse(descriptor)
        raise
    finally:
        # The kernel has let them through already, when the answer took too long.
        with suppress(OSError):
            _lease(descriptor, fcntl.F_UNLCK)
        os.close(descriptor)


def _refuse(descriptor: int) -> None:
    """Make a file larger than a build takes: with a hole, which needs no room."""
    with suppress(OSError):  # a user's limit may be lower (RLIMIT_FSIZE)
        os.ftruncate(descriptor, MAX_SIZE + 1)


def _lease(descriptor: int, kind: int) -> None:
    if sys.platform == "linux":
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, kind)
    else:
        raise OSError("no leases here")
