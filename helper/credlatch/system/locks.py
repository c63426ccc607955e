"""Lock files, as the other tools take them: flock on a file that stays.

POSIX record locks (``lockf``) would not be seen by uv, which uses flock.
"""

from __future__ import annotations

import os
import stat
import sys

from credlatch.errors import LockedError, StoreError
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from credlatch.system.writable import Folder

SETTLE = 5.0  # seconds that a reader waits for a writer: a write takes milliseconds
# Not blocking, so that a FIFO is an error and no hang.
_FLAGS: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_PRIVATE = 0o600
_TRIES = 100  # at a lock file that somebody removes as often as it is made


class Exclusive:
    """Holds a lock file, made if need be, for the length of a ``with`` block.

    Our own few lines, although libraries have them: importing one costs more than all else that a
    process does that waits for somebody's renewal, and hundreds may wait. Who waits is served in
    the order of coming, as the system has it, and takes no time of the processor's (but on
    Windows).

    Args:
        path: the lock file; its folder is made too.
        seconds: how long to wait for somebody else to release it.
        in_turn: False for what one process does for all: whoever finds the lock taken waits until
            it is released, all of them at once, and does not hold it then. In turn, the last of
            some hundred would wait for all the others. On Windows, where locks have no such thing,
            everybody has it in turn.

    Raises:
        LockedError: somebody else kept it all that time, or there is something that is no lock
            file, or is another user's.
        OSError: it cannot be made.
    """

    def __init__(self, path: str, seconds: float, *, in_turn: bool = True) -> None:
        self._path = path
        self._seconds = max(0.0, seconds)
        self._in_turn = in_turn
        self._release: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        if sys.platform == "win32":
            from credlatch.system.windows_locks import locked

            self._release = locked(self._path, self._seconds)
            if self._release is None:
                raise self._late()
        else:
            self._take()
        return self

    @property
    def held(self) -> bool:
        """Whether the block holds it."""
        return self._release is not None

    def __exit__(self, *_: object) -> None:
        if self._release is not None:
            self._release()

    def _take(self) -> None:
        if sys.platform == "win32":
            raise NotImplementedError
        import fcntl

        from credlatch.system.writable import Folder

        folder = Folder(self._path, through_link=False)
        try:
            descriptor = _made(folder)
        finally:
            folder.close()
        # The file stays: who waits for it holds it open, and would lock another one otherwise.
        then = fcntl.LOCK_EX if self._in_turn else fcntl.LOCK_SH
        how = _locked(descriptor, self._seconds, fcntl.LOCK_EX, then)
        if not how:
            raise self._late()
        if how == fcntl.LOCK_EX:
            self._release = lambda: files.close(descriptor)

    def _late(self) -> LockedError:
        return LockedError(
            f"{self._path} has been held by another process for {self._seconds:.0f} s: "
            "try again, or see which process hangs"
        )


def at_once(path: str | bytes, flags: int) -> int:
    """A descriptor of a file, or a folder, that is locked for us alone until it is closed.

    Nothing is awaited, no link is followed, and a file that is made is for this user alone. Not on
    Windows.

    Args:
        path: what is locked.
        flags: how it is opened (open(2)).

    Raises:
        BlockingIOError: somebody else has it.
        OSError: it cannot be opened, or locked.
    """
    if sys.platform == "win32":
        raise NotImplementedError
    import fcntl

    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        files.close(descriptor)
        raise
    return descriptor


def settle(path: str, seconds: float = SETTLE) -> None:
    """Wait until nobody writes under the lock file ``path``; at once when nobody does.

    For readers, who need no lock where the writer renames; uv up to 0.12.6 truncates instead. A
    lock file that is not there is not made. On Windows nothing is awaited: there a writer's file
    cannot be opened.

    Raises:
        LockedError: the writer did not end in time, or there is something that is no lock file.
        StoreError: it cannot be locked.
    """
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        _see(path, None)
        return
    import fcntl

    try:
        _see(path, descriptor)
        descriptor, opened = -1, descriptor
        ended = _locked(opened, seconds, fcntl.LOCK_SH, fcntl.LOCK_SH)
    except OSError as error:
        raise StoreError(f"{path} cannot be locked: {files.reason(error)}") from None
    finally:
        if descriptor >= 0:
            files.close(descriptor)
    if not ended:
        raise LockedError(
            f"{path} has been locked by a writer for {seconds:.0f} s: see which process hangs"
        )


def _made(folder: Folder) -> int:
    """A descriptor of a lock file, made if there is none; LockedError: there is something else."""
    for _ in range(_TRIES):
        try:
            descriptor = folder.open(folder.name, os.O_RDWR | _FLAGS)
        except FileNotFoundError:
            descriptor = -1
        except OSError:
            _see(folder.path, None)
            raise
        try:
            if descriptor >= 0:
                _see(folder.path, descriptor)
                return descriptor
            descriptor = folder.open(folder.name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS)
            folder.give(descriptor)
        except FileExistsError:
            continue  # another process has been quicker
        except BaseException:
            if descriptor >= 0:
                files.close(descriptor)
            raise
        return descriptor
    raise LockedError(f"{folder.path} is removed as often as it is made: see by whom")


def _see(path: str, descriptor: int | None) -> None:
    """LockedError where another user may have put what is in a lock file's place, or it is none."""
    from credlatch.system import owners

    try:
        status = os.lstat(path) if descriptor is None else os.fstat(descriptor)
    except OSError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise LockedError(f"{path} is no lock file: move it away")
    why = owners.stranger(path, status)
    if why:
        raise LockedError(why)


def _locked(descriptor: int, seconds: float, first: int, then: int) -> int:
    """Lock an open file; how, or 0 when somebody else keeps it for so long.

    It stays open if it is locked for us alone: a shared lock only tells that nobody has it for
    himself any more, and is given back at once, before it keeps anybody from that.

    Args:
        descriptor: the file, which is closed if it cannot be locked.
        seconds: how long to wait.
        first: LOCK_EX or LOCK_SH, as it is tried without waiting.
        then: likewise, as it is waited for.
    """
    if sys.platform == "win32":
        raise NotImplementedError
    import fcntl

    how = first
    try:
        fcntl.flock(descriptor, first | fcntl.LOCK_NB)
    except BlockingIOError:
        if seconds > 0:
            from credlatch.system.lock_queue import Waiter

            return then if Waiter(descriptor, then).wait(seconds) else 0
        how = 0
    except BaseException:
        files.close(descriptor)
        raise
    if how != fcntl.LOCK_EX:
        files.close(descriptor)
    return how
