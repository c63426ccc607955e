"""Where single files unpack themselves, which the launcher does (build/loader/places_*.c)."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

MARK = "unpacked"  # a file of an unpacked program, and of no other
LOCK = "lock"
_OWN = "credlatch"


class Place:
    """A folder that may be used, with our own below it.

    Attributes:
        path: the folder of unpacked programs.
        own: what is ours above it.
        cache: whether it is the user's cache: others may be shared among homes.
    """

    __slots__ = ("cache", "own", "path")

    def __init__(self, base: str, own: str, *, cache: bool = False) -> None:
        self.own = os.path.join(base, own)
        self.path = os.path.join(self.own, "run")
        self.cache = cache


def places(caller: Caller) -> Iterator[Place]:
    """Where to unpack, in the order in which to try: cache, runtime folder, temporary ones.

    Without a HOME there is no cache: what such a process may rely on is not the account's.
    """
    if sys.platform == "win32":
        yield Place(caller.cache(), _OWN, cache=True)
        if temporary := caller.get("TEMP"):
            yield Place(temporary, _OWN)
        return
    if caller.get("HOME") or (caller.get("XDG_CACHE_HOME") or "").startswith("/"):
        yield Place(caller.cache(), _OWN, cache=True)
    runtime = caller.get("XDG_RUNTIME_DIR") or ""
    if runtime.startswith("/"):
        yield Place(runtime, _OWN)
    temporary = caller.get("TMPDIR") or ""
    for folder in dict.fromkeys((temporary, "/tmp")):  # noqa: S108 - judged before it is used
        if folder.startswith("/"):
            yield Place(folder, f"{_OWN}-{os.getuid()}")
