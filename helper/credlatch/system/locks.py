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
    from contextlib import AbstractContextManager

SETTLE = 5.0  # seconds that a reader waits for a writer: a write takes milliseconds


def exclusive(path: str, seconds: float) -> AbstractContextManager[object]:
    """Take the lock file ``path``, made if need be, and hold it for a ``with`` block.

    Args:
        path: the lock file.
        seconds: how long to wait for somebody else to release it.

    Raises:
        RenewalError: somebody else kept it all that time.
        OSError: it cannot be made.
    """
    from filelock import FileLock, Timeout

    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    # No soft lock where flock is missing: the other tool would not see it.
    lock = FileLock(
        path,
        timeout=max(0.0, seconds),
        mode=0o600,
        poll_interval=0.02,
        fallback_to_soft=False,
    )
    try:
        return lock.acquire()
    except Timeout:
        raise RenewalError(
            f"{path} has been held by another process for {seconds:.0f} s: "
            "try again, or see which process hangs"
        ) from None


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
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"{path} has been locked by a writer for {seconds:.0f} s: "
                        "see which process hangs"
                    ) from None
                time.sleep(0.02)
            else:
                return
    except OSError as error:
        raise StoreError(f"{path} cannot be locked: {files.reason(error)}") from None
    finally:
        os.close(descriptor)
