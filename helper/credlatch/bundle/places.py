"""Where the single file unpacks itself: what Windows' does, and where any other may have."""

from __future__ import annotations

import os
import sys

from credlatch.system import folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller


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

        That is for Windows, where a profile is its user's alone, by inheritance; elsewhere the
        launcher does this, and looks who may change what is on the way (build/loader/places.c).

        Raises:
            OSError: it cannot be made.
        """
        if self.make and not os.path.isdir(self.base):
            _make(self.base)
        run = os.path.realpath(self.base)
        for name in (self.name, "run"):
            run = os.path.join(run, name)
            _make(run)
        folders.private(run)
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
