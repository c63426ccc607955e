"""Stores' files that need not be parsed again, because they are as they were."""

from __future__ import annotations

import stat
import sys
import threading
import time

from credlatch.errors import StoreError
from credlatch.system.files import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Any, TypeVar

    from credlatch.system.files import Reading

    T = TypeVar("T")
    Mark = tuple[int, ...]
    Key = tuple[str, Callable[[str, str], object]]

MOST = 64  # files
ROOM = 4 * 1024 * 1024  # bytes of all of them together, before they are parsed
SETTLED = 2.0  # seconds after a change within which the next one may bear the same time (FAT: two)


class Documents:
    """What was parsed, for as long as its file does not change; for any number of threads.

    A file that was changed a moment before it was read is not remembered: a second change within
    the same tick of the file system's clock, to the same size, would not be seen.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # What a file was when it was read, and what it said; what was used last is last.
        self._kept: dict[Key, tuple[Mark, Any]] = {}

    def content(self, file: Reading, parse: Callable[[str, str], T]) -> T:
        """What an open file says: remembered, or read and parsed now.

        Args:
            file: the file.
            parse: makes something of its text and its path, which nobody changes afterwards. What
                it raises is not remembered.

        Raises:
            StoreError: the file cannot be read.
        """
        key, changed = (file.path, parse), _changed(file)
        mark = (*_mark(file.status), changed)
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is not None and kept[0] == mark:
                self._kept[key] = kept
                content: T = kept[1]
                return content
        begin = time.time()
        content = parse(file.text(), file.path)
        # A change during the reading leaves another mark than the one that is remembered here.
        if _is_settled(file.status, changed, begin):
            with self._lock:
                self._kept[key] = mark, content
                while len(self._kept) > MOST or self._size() > ROOM:
                    del self._kept[next(iter(self._kept))]
        return content

    def forget(self, path: str, parse: Callable[[str, str], object]) -> None:
        """Let go of a file that is no longer there."""
        with self._lock:
            self._kept.pop((path, parse), None)

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._kept.clear()

    def _size(self) -> int:
        return sum(mark[0] for mark, _ in self._kept.values())


def _mark(status: os.stat_result) -> Mark:
    return (status.st_size, status.st_ino, status.st_dev, status.st_mtime_ns)


def _changed(file: Reading) -> int:
    """When it was last changed, in ns since 1970: unlike other times nobody can set this one."""
    if sys.platform == "win32":
        from credlatch.system import windows_files  # there st_ctime is when it was made

        try:
            return windows_files.changed(file.descriptor)
        except OSError as error:
            raise StoreError(f"{file.path} cannot be looked at: {reason(error)}") from None
    else:
        return file.status.st_ctime_ns


def _is_settled(status: os.stat_result, changed: int, now: float) -> bool:
    last = max(status.st_mtime, changed / 1e9)
    return stat.S_ISREG(status.st_mode) and now - last >= SETTLED
