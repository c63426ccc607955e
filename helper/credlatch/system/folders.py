"""Folders that belong together: they appear whole, and are not taken from those who use them."""

from __future__ import annotations

import os
import stat
import sys

from credlatch.system import durable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def beside(path: str, what: str = "new") -> str:
    """A name that nobody else uses, in the same folder, for what is not to be seen yet, or no more.

    ``is_beside`` knows such names again.
    """
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{what}-{name}-{os.getpid()}-{os.urandom(4).hex()}")


def is_beside(name: str) -> bool:
    """Whether a name was made by ``beside``."""
    return name.startswith((".new-", ".old-"))


def files(folder: str) -> Iterator[str]:
    """The paths, from ``folder``, of everything below it that is no folder; in order.

    Raises:
        OSError: a folder cannot be read: nobody takes a part for the whole.
    """
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        linked = (name for name in folders if os.path.islink(os.path.join(place, name)))
        for name in sorted([*names, *linked]):
            yield os.path.relpath(os.path.join(place, name), folder)


def sync(folder: str) -> None:
    """Have a folder and all that is in it on the disk.

    Raises:
        OSError: something cannot be written there, after all.
    """
    # Windows writes out only what is open for writing, and has no such thing for folders.
    mode = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
    for name in files(folder):
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            _sync(path, mode)
    if sys.platform != "win32":
        for place, _, _ in os.walk(folder, onerror=refuse):
            _sync(place, mode)
        _sync(folder, mode, whole=True)


def refuse(error: OSError) -> None:
    """What ``os.walk`` is to do where it cannot read a folder: by itself it goes on without.

    Raises:
        OSError: always.
    """
    raise error


def sync_entries(folder: str) -> None:
    """Have a folder's list of names on the disk, where such a thing can be asked for."""
    try:
        _sync(folder, os.O_RDONLY, whole=True)
    except OSError:
        return  # some file systems cannot, and Windows neither


def _sync(path: str, mode: int, *, whole: bool = False) -> None:
    descriptor = os.open(path, mode)
    try:
        if whole:  # what has been handed to the disk before goes along
            durable.to_disk(descriptor)
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str) -> None:
    """Remove a folder and all that is in it, or what is in its place, as far as that goes."""
    if os.path.isdir(path) and not os.path.islink(path):
        import shutil  # not at the start of every call of the single file

        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        os.unlink(path)
    except OSError:
        return


def claim(folder: str) -> int | None:
    """The right to remove a folder, until the descriptor is closed; None where nobody can tell.

    The launcher holds the folder that its program runs from, by a lock that others share
    (build/loader/program_posix.c).

    Raises:
        BlockingIOError: somebody uses it.
        OSError: it is not there.
    """
    descriptor = _locked(folder)
    if _runs_from(folder):
        if descriptor is not None:
            os.close(descriptor)
        raise BlockingIOError(f"a program runs from {folder}")
    return descriptor


def _locked(folder: str) -> int | None:
    if sys.platform == "win32":
        return None  # there a folder that somebody has open cannot be moved away, nor removed
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        pass  # a file system without locks
    return descriptor


def _runs_from(folder: str) -> bool:
    """Whether a program is seen to run from the folder: on Linux, and one's own programs."""
    below = os.path.join(os.path.realpath(folder), "")
    try:
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return False
    for number in numbers:
        try:
            if os.readlink(f"/proc/{number}/exe").startswith(below):
                return True
        except OSError:
            continue  # it has ended, or is somebody else's
    return False


def discard(folder: str) -> None:
    """Remove a folder that nobody uses.

    Raises:
        OSError: somebody does, or it cannot be removed.
    """
    claimed = claim(folder)
    try:
        old = beside(folder, "old")
        os.rename(folder, old)
        remove(old)
    finally:
        if claimed is not None:
            os.close(claimed)


def private(folder: str) -> None:
    """See that a folder is one, this user's, and closed to all others.

    Raises:
        OSError: it is not.
    """
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(20, "not a folder")
    if sys.platform != "win32" and (
        status.st_uid != os.getuid() or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ):
        raise PermissionError(1, "not this user's alone")
