"""Finding the unpacked program of a build, or unpacking it: once, whole, and by one process."""

from __future__ import annotations

import errno
import os
import time

from credlatch.bundle import contents
from credlatch.system import folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 5.0  # seconds that one waits for another to unpack: Bazel waits ten for its answer
UNUSED = 30 * 86_400.0  # seconds after which a build that nobody has called is removed
_NOTED = 86_400.0  # seconds after which a use is noted anew
_FORSAKEN = 5.0  # seconds: what lies aside for longer, unlocked, has been left by a killed process
LOCK = "lock"


def take(run: str, build: str, unpack: Callable[[str], None]) -> tuple[str, int | None]:
    """The folder of a build's program, and the descriptor that keeps it from being removed.

    Args:
        run: the folder of all builds, in which nobody else can change anything.
        build: which one.
        unpack: puts the program into an empty folder.

    Raises:
        OSError: there is none, and it cannot be unpacked here.
        PlaceError: it cannot be unpacked anywhere.
    """
    folder = os.path.join(run, build)
    try:
        return folder, _found(folder)
    except OSError:
        held = _unpack_alone(folder, unpack)
        return folder, held


def _found(folder: str) -> int | None:
    """Hold an unpacked program that is as it should be.

    Raises:
        OSError: there is none.
    """
    held = folders.hold(folder)
    try:
        folders.private(folder)
        if not contents.whole(folder):
            raise FileNotFoundError(errno.ENOENT, "something is missing")
    except OSError:
        if held is not None:
            os.close(held)
        raise
    _note_use(folder)
    return held


def _note_use(folder: str) -> None:
    try:
        if time.time() - os.stat(folder).st_mtime > _NOTED:
            os.utime(folder)
    except OSError:
        return  # a disk that has become read-only does as well


def _unpack_alone(folder: str, unpack: Callable[[str], None]) -> int | None:
    """Unpack while all others wait; where one waits for too long, it unpacks as well."""
    from credlatch.errors import LockedError
    from credlatch.system.locks import Exclusive

    run, build = os.path.split(folder)
    lock = Exclusive(os.path.join(run, LOCK), PATIENCE)
    try:
        lock.__enter__()  # apart, so that what fails under it is not taken for a lock not had
    except (LockedError, OSError):
        return _unpack(folder, unpack)
    try:
        try:
            return _found(folder)  # by now
        except OSError:
            held = _unpack(folder, unpack)
        _sweep(run, build)
        return held
    finally:
        lock.__exit__()


def _unpack(folder: str, unpack: Callable[[str], None]) -> int | None:
    fresh = folders.beside(folder)
    os.mkdir(fresh, 0o700)
    held = None
    try:
        held = folders.hold(fresh)
        unpack(fresh)
        contents.write(fresh)
        folders.sync(fresh)
        _put(fresh, folder)
    except BaseException:
        if held is not None:
            os.close(held)
        folders.remove(fresh)
        raise
    folders.sync_entries(os.path.dirname(folder))
    return held


def _put(fresh: str, folder: str) -> None:
    """Put a fresh folder in the place of whatever is there."""
    try:
        os.rename(fresh, folder)
    except OSError:
        # A damaged one, or one that somebody who did not wait has put there: equal to ours, and
        # whoever runs from it goes on with ours.
        old = folders.beside(folder, "old")
        os.rename(folder, old)
        os.rename(fresh, folder)
        folders.remove(old)


def _sweep(run: str, build: str) -> None:
    """Remove what killed processes have left, and builds that nobody has used for long."""
    now = time.time()
    for entry in os.scandir(run):
        if entry.name in (build, LOCK):
            continue
        lasting = _FORSAKEN if folders.is_beside(entry.name) else UNUSED
        try:
            if now - entry.stat(follow_symlinks=False).st_mtime > lasting:
                folders.discard(entry.path)
        except OSError:
            continue  # in use, or gone meanwhile
