"""Having what was written on the disk itself, so that it outlasts a loss of power."""

from __future__ import annotations

import os
import sys


def to_disk(descriptor: int) -> None:
    """Have a file, or a folder's names, on the disk.

    On macOS ``fsync`` leaves it in the disk's own memory, which may write in any order (fsync(2)
    there); ``F_FULLFSYNC``, as SQLite, Go, Rust and git use it, has all written that the disk has.

    Raises:
        OSError: it cannot be written, after all.
    """
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError:
            pass  # some file systems cannot; what is wrong with the disk, fsync says as well
        else:
            return
    os.fsync(descriptor)
