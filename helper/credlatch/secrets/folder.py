"""A private folder in memory, which goes when we do, even if we are killed."""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import contextmanager, suppress

from credlatch.errors import SecretsError
from credlatch.secrets.source import UNANSWERED
from credlatch.system import locks
from credlatch.system.detached import detached
from credlatch.system.files import close, reason

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

_NAME = "credlatch-secrets-"
_SHARED = "/dev/shm"  # noqa: S108 - the folder that is made there is ours alone
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_ABANDONED = 60.0  # seconds after which a folder that nobody has locked is nobody's
_TRIES = 3  # to empty it, while a thread of ours may still be answering somebody
_UNQUOTED = frozenset(",\"'\\\n")  # what the clients' `src=` cannot take, or each in its own way


@contextmanager
def private(caller: Caller) -> Iterator[str]:
    """A folder for this user alone, until the block ends or the process does.

    Raises:
        SecretsError: there is no place for one.
    """
    base = _base(caller)
    _sweep(base)
    folder = os.path.join(base, f"{_NAME}{os.urandom(8).hex()}")
    try:
        os.mkdir(folder, 0o700)
    except OSError as error:
        raise SecretsError(f"{folder} cannot be made: {reason(error)}") from None
    # Locked for as long as we live: by that the next run knows what to leave alone.
    try:
        lock = locks.at_once(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        _remove(folder)
        raise SecretsError(f"{folder} cannot be locked: {reason(error)}") from None
    try:
        with _watched(folder):
            try:
                yield folder
            finally:
                _remove(folder)
    finally:
        close(lock)


def _base(caller: Caller) -> str:
    """The first of the usual places that is in memory; SecretsError: none is."""
    if sys.platform != "linux":
        # There is none, and what goes through a FIFO is in memory wherever it has its name.
        own = caller.path("TMPDIR")
        if own is not None and _is_ours(own):
            return own
        return "/tmp"  # noqa: S108 - the folder made there is ours alone
    found = []
    for base in (caller.path("XDG_RUNTIME_DIR"), _SHARED):
        if base is None or _UNQUOTED & set(base):
            continue
        kind = filesystem(base)
        # Where another may write, as after `su`, he could put his own folder in the place of ours.
        if kind in _IN_MEMORY and base != _SHARED and not _is_ours(base):
            kind = "not yours alone"
        elif kind in _IN_MEMORY and os.access(base, os.W_OK | os.X_OK):
            return base
        found.append(f"{base} ({kind or 'not there'})")
    raise SecretsError(
        f"secrets are kept in memory only, and there is no folder for that: {', '.join(found)}; "
        "mount a tmpfs on /dev/shm, or hand them over with --as-env"
    )


def _is_ours(path: str) -> bool:
    """Whether a folder is this user's, and for nobody else to write to."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def filesystem(path: str) -> str | None:
    """The kind of file system that a folder is on; None when there is none, or nobody tells."""
    try:
        device = os.stat(path).st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
            for mount in mounts:
                fields = mount.split()
                if fields[2] == wanted:
                    return fields[fields.index("-") + 1]
    except OSError:
        pass
    return None


@contextmanager
def _watched(folder: str) -> Iterator[None]:
    """Have a process of its own remove the folder when this one has gone, however it went."""

    def watch() -> None:
        os.read(0, 1)  # until nobody has the pipe's other end any more
        _remove(folder)

    try:
        ours, theirs = os.pipe()
        detached(watch, {0: ours})
    except OSError as error:
        _remove(folder)
        raise SecretsError(f"{folder} cannot be watched: {reason(error)}") from None
    close(ours)
    try:
        yield
    finally:
        close(theirs)


def _sweep(base: str) -> None:
    """Remove what others have left whose watcher was killed with them."""
    with suppress(OSError), os.scandir(base) as entries:
        for entry in entries:
            if not entry.name.startswith(_NAME) or not entry.is_dir(follow_symlinks=False):
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if status.st_uid != os.getuid() or time.time() - status.st_mtime < _ABANDONED:
                    continue
                lock = locks.at_once(entry.path, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    _remove(entry.path)
                finally:
                    close(lock)


def _remove(folder: str) -> None:
    """Remove a folder and what is in it, as far as that is possible."""
    for _ in range(_TRIES):
        with suppress(OSError):
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                with suppress(OSError):
                    _let_go(path)
                    os.unlink(path)
            os.rmdir(folder)
            return
        if not os.path.lexists(folder):
            return


def _let_go(path: str) -> None:
    """Give those who wait at a FIFO that nobody will answer what opens nothing."""
    if stat.S_ISFIFO(os.lstat(path).st_mode):
        with suppress(OSError):
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(descriptor, UNANSWERED)
            finally:
                close(descriptor)
