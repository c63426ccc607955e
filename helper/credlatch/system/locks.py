"""Lock files, as the other tools take them: flock on a file that stays.

POSIX record locks (``lockf``) would not be seen by uv, which uses flock.
"""

from __future__ import annotations

import os
import sys
import time

from credlatch.errors import RenewalError, StoreError
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SETTLE = 5.0  # seconds that a reader waits for a writer: a write takes milliseconds


class Exclusive:
    """Holds a lock file, made if need be, for the length of a ``with`` block.

    Our own few lines on POSIX, although libraries have them: importing one costs more than all
    else that a process does that waits for somebody's renewal, and hundreds may wait.

    Args:
        path: the lock file; its folder is made too.
        seconds: how long to wait for somebody else to release it.

    Raises:
        RenewalError: somebody else kept it all that time.
        OSError: it cannot be made.
    """

    def __init__(self, path: str, seconds: float) -> None:
        self._path = path
        self._seconds = max(0.0, seconds)
        self._release: Callable[[], object] | None = None

    def __enter__(self) -> None:
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        if sys.platform == "win32":
            self._take_on_windows()
        else:
            self._take()

    def __exit__(self, *_: object) -> None:
        if self._release is not None:
            self._release()

    def _take(self) -> None:
        import fcntl

        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + self._seconds
            for pause in _pauses():
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise self._held() from None
                    time.sleep(pause)
        except BaseException:
            os.close(descriptor)
            raise
        # The file stays: who waits for it holds it open, and would lock another one otherwise.
        self._release = lambda: os.close(descriptor)

    def _take_on_windows(self) -> None:
        from filelock import FileLock, Timeout

        lock = FileLock(self._path, timeout=self._seconds, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout:
            raise self._held() from None
        self._release = lock.release

    def _held(self) -> RenewalError:
        return RenewalError(
            f"{self._path} has been held by another process for {self._seconds:.0f} s: "
            "try again, or see which process hangs"
        )


def _pauses() -> Iterator[float]:
    """Seconds between two tries: short at first, never so long that a build would feel it."""
    pause = 0.005
    while True:
        yield pause
        pause = min(pause * 1.5, 0.15)


def settle(path: str, seconds: float = SETTLE) -> None:
    """Wait until nobody writes under the lock file ``path``; at once when nobody does.

    For readers, who need no lock where the writer renames; uv up to 0.12.6 truncates instead. A
    lock file that is not there is not made. On Windows nothing is awaited: there a writer's file
    cannot be opened.

    Raises:
        StoreError: the writer did not end in time.
    """
    if sys.platform == "win32":
        return
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return
    deadline = time.monotonic() + seconds
    try:
        for pause in _pauses():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"{path} has been locked by a writer for {seconds:.0f} s: "
                        "see which process hangs"
                    ) from None
                time.sleep(pause)
    except OSError as error:
        raise StoreError(f"{path} cannot be locked: {files.reason(error)}") from None
    finally:
        os.close(descriptor)
