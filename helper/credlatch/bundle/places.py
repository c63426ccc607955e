"""Where the single file may unpack itself: places in which nobody else can put a program for us."""

from __future__ import annotations

import errno
import os
import stat
import sys

from credlatch.system import folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NO_PROGRAMS: int = getattr(os, "ST_NOEXEC", 0)  # where it is not told, the start itself fails


class Place:
    """A folder that may be used, with our own below it.

    Attributes:
        base: the folder, which is the user's or everybody's.
        name: what our own is called in it.
        make: whether the base may be made.
    """

    __slots__ = ("base", "make", "name")

    def __init__(self, base: str, name: str, *, make: bool = False) -> None:
        self.base = base
        self.name = name
        self.make = make

    @property
    def path(self) -> str:
        """Where the unpacked programs are, by the names that a person knows."""
        return os.path.join(self.base, self.name, "run")

    def secure(self) -> str:
        """Make the folder for unpacked programs, or find it; its real path.

        Raises:
            OSError: it cannot be made, others could change what is in it, or nothing may run there.
        """
        if self.make and not os.path.isdir(self.base):
            # Root makes none in the home of another user (sudo), where it would be in their way.
            _see_that_only_we_change(os.path.realpath(os.path.dirname(self.base)))
            _make(self.base)
        base = os.path.realpath(self.base)
        _see_that_only_we_change(base)
        own = os.path.join(base, self.name)
        _make(own)
        _close(own)
        run = os.path.join(own, "run")
        _make(run)
        folders.private(run)
        if sys.platform != "win32" and os.statvfs(run).f_flag & _NO_PROGRAMS:
            raise PermissionError(errno.EACCES, "no programs may run there (noexec)")
        return run


def places(caller: Caller) -> Iterator[Place]:
    """Where to unpack, in the order in which to try: cache, runtime folder, temporary ones.

    Without a HOME there is no cache: what such a process may rely on is not the account's.
    """
    if sys.platform == "win32":
        yield Place(caller.cache(), "credlatch", make=True)
        return
    if caller.get("HOME") or (caller.get("XDG_CACHE_HOME") or "").startswith("/"):
        yield Place(caller.cache(), "credlatch", make=True)
    runtime = caller.get("XDG_RUNTIME_DIR") or ""
    if runtime.startswith("/"):
        yield Place(runtime, "credlatch")
    temporary = caller.get("TMPDIR") or ""
    for folder in dict.fromkeys((temporary, "/tmp")):  # noqa: S108 - judged before it is used
        if folder.startswith("/"):
            yield Place(folder, f"credlatch-{os.getuid()}")


def _make(folder: str) -> None:
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        return


def _close(folder: str) -> None:
    """Close a folder of ours to all others, as it may have been made with a generous umask."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "another user's")
        if status.st_mode & _OTHERS_WRITE:
            os.fchmod(descriptor, stat.S_IRWXU)
    finally:
        os.close(descriptor)


def _see_that_only_we_change(folder: str) -> None:
    """See that nobody else can put another folder in the place of one in ``folder``.

    Neither there nor anywhere on the way to it; a sticky folder like /tmp is fine, and the owner of
    the root folder can do anything in any case.

    Raises:
        PermissionError: somebody could.
    """
    if sys.platform == "win32":
        return  # there a profile is its user's, by inheritance
    trusted = {os.getuid(), 0, os.stat("/").st_uid}
    while True:
        status = os.stat(folder, follow_symlinks=False)
        if status.st_uid not in trusted:
            raise PermissionError(errno.EPERM, f"{folder} is another user's")
        if status.st_mode & _OTHERS_WRITE and not status.st_mode & stat.S_ISVTX:
            raise PermissionError(errno.EPERM, f"other users may change {folder}")
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above
