"""Waiting for a lock for so long and no longer."""

from __future__ import annotations

import os
import sys
import time

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

_LOOK = 0.5  # seconds within which a signal is seen that the system gave to another thread
_POLL = 0.05  # seconds between two tries where there can be no more threads


class Waiter:
    """A thread that waits for a lock in the system's own queue, which no time limit can leave.

    Whoever tries now and then instead meets the moment between two others the more rarely the more
    of them there are. A thread that is left behind gives the lock back when it has it; and a shared
    one at once: until another thread has a turn of the processor, much time may pass.
    """

    def __init__(self, descriptor: int, how: int) -> None:
        import _thread
        import fcntl

        self._descriptor = descriptor
        self._how = how
        self._kept = how == fcntl.LOCK_EX
        self._failure: OSError | None = None
        self._open = True
        self._state = _thread.allocate_lock()
        self._done = _thread.allocate_lock()
        self._done.acquire()
        self._ended = False
        try:
            _thread.start_new_thread(self._run, ())
            self._alone = False
        except RuntimeError:
            self._alone = True  # no more threads

    def _run(self) -> None:
        import fcntl

        try:
            fcntl.flock(self._descriptor, self._how)
        except OSError as error:
            self._failure = error
        with self._state:
            self._ended = True
            if not self._kept:
                self._close()
        self._done.release()

    def wait(self, seconds: float) -> bool:
        """Whether the lock came in time; if not, or if it is shared, the file is not ours any more.

        Raises:
            OSError: it cannot be locked.
        """
        deadline = time.monotonic() + seconds
        came = False
        try:
            while not came and (left := deadline - time.monotonic()) > 0:
                came = self._try() if self._alone else self._done.acquire(True, min(left, _LOOK))
        finally:
            with self._state:
                self._kept = self._kept and came and self._failure is None
                if (self._ended or self._alone) and not self._kept:
                    self._close()
        if self._failure is not None:
            raise self._failure
        return came

    def _try(self) -> bool:
        import fcntl

        try:
            fcntl.flock(self._descriptor, self._how | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_POLL)
            return False
        return True

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)
