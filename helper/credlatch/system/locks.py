"""Lock files, as the other tools take them: flock on a file that stays.

POSIX record locks (``lockf``) would not be seen by uv, which uses flock.
"""

from __future__ import annotations

import os
import stat
import sys
import time

from credlatch.errors import LockedError, StoreError
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.system.writable import Folder

SETTLE = 5.0  # seconds that a reader waits for a writer: a write takes milliseconds
# Not blocking, so that a FIFO is an error and no hang.
_FLAGS: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
# Seconds within which a signal is seen that the system gave to another thread, and between two
# calls of what is to be done meanwhile.
_LOOK = 0.5
_POLL = 0.05  # seconds between two tries where there can be no more threads
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
        meanwhile: called now and then while waiting; whatever it raises ends that.

    Raises:
        LockedError: somebody else kept it all that time, or there is something that is no lock
            file, or is another user's.
        OSError: it cannot be made.
    """

    def __init__(
        self, path: str, seconds: float, meanwhile: Callable[[], object] | None = None
    ) -> None:
        self._path = path
        self._seconds = max(0.0, seconds)
        self._meanwhile = meanwhile
        self._release: Callable[[], object] | None = None

    def __enter__(self) -> None:
        if sys.platform == "win32":
            from credlatch.system.windows_locks import locked

            self._release = locked(self._path, self._seconds, self._meanwhile)
            if self._release is None:
                raise self._held()
        else:
            self._take()

    def __exit__(self, *_: object) -> None:
        if self._release is not None:
            self._release()

    def _take(self) -> None:
        from credlatch.system.writable import Folder

        folder = Folder(self._path, through_link=False)
        try:
            descriptor = _made(folder)
        finally:
            folder.close()
        # The file stays: who waits for it holds it open, and would lock another one otherwise.
        if not _locked(descriptor, self._seconds, self._meanwhile, exclusive=True):
            raise self._held()
        self._release = lambda: os.close(descriptor)

    def _held(self) -> LockedError:
        return LockedError(
            f"{self._path} has been held by another process for {self._seconds:.0f} s: "
            "try again, or see which process hangs"
        )


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
    try:
        _see(path, descriptor)
        descriptor, opened = -1, descriptor
        ended = _locked(opened, seconds, exclusive=False)
    except OSError as error:
        raise StoreError(f"{path} cannot be locked: {files.reason(error)}") from None
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    if not ended:
        raise LockedError(
            f"{path} has been locked by a writer for {seconds:.0f} s: see which process hangs"
        )
    os.close(opened)


def _made(folder: Folder) -> int:
    """A descriptor of a lock file, made if there is none.

    Raises:
        LockedError: there is something else.
        OSError: it cannot be had.
    """
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
                os.close(descriptor)
            raise
        return descriptor
    raise LockedError(f"{folder.path} is removed as often as it is made: see by whom")


def _see(path: str, descriptor: int | None) -> None:
    """See that what is in a lock file's place is one, and nobody's who may have put it there.

    Raises:
        LockedError: it is something else.
    """
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


def _locked(
    descriptor: int,
    seconds: float,
    meanwhile: Callable[[], object] | None = None,
    *,
    exclusive: bool,
) -> bool:
    """Lock an open file; False when somebody else keeps it for so long, and then it is closed.

    It is closed, too, when ``meanwhile`` raises something.

    Raises:
        OSError: it cannot be locked, and is closed.
    """
    import fcntl

    how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        if seconds > 0:
            return _Waiter(descriptor, how).wait(seconds, meanwhile)
        os.close(descriptor)
        return False
    except BaseException:
        os.close(descriptor)
        raise
    return True


class _Waiter:
    """A thread that waits for a lock in the system's own queue, which no time limit can leave.

    Whoever tries now and then instead meets the moment between two others the more rarely the more
    of them there are. A thread that is left behind gives the lock back when it has it.
    """

    def __init__(self, descriptor: int, how: int) -> None:
        import _thread

        self._descriptor = descriptor
        self._how = how
        self._failure: OSError | None = None
        self._ended = False
        self._left = False
        self._state = _thread.allocate_lock()
        self._done = _thread.allocate_lock()
        self._done.acquire()
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
            if self._left:
                os.close(self._descriptor)
        self._done.release()

    def wait(self, seconds: float, meanwhile: Callable[[], object] | None) -> bool:
        """Whether the lock came in time; if not, the descriptor is not ours any more.

        Raises:
            OSError: it cannot be locked.
        """
        deadline = time.monotonic() + seconds
        came = False
        try:
            while not came and (left := deadline - time.monotonic()) > 0:
                came = self._try() if self._alone else self._done.acquire(True, min(left, _LOOK))
                if meanwhile is not None and not came:
                    meanwhile()
        finally:
            if not came or self._failure is not None:
                self._leave()
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

    def _leave(self) -> None:
        with self._state:
            if self._ended or self._alone:
                os.close(self._descriptor)
            self._left = True
