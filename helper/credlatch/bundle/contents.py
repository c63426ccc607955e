"""What belongs into an unpacked folder, so that one from which something is missing is noticed.

What cleans temporary folders and caches by age takes single files. A list of them, with their sizes
and times, is seen through at each start: it costs as much as one module.
"""

from __future__ import annotations

import os
import stat

from credlatch.system import folders

LIST = "unpacked"
_FIRST = "credlatch 1"  # of the list: what it is, and its version


def write(folder: str) -> None:
    """Write the list of what is in the folder now.

    Raises:
        OSError: it cannot be written.
    """
    lines = []
    for name in folders.files(folder):
        status = os.lstat(os.path.join(folder, name))
        lines.append(f"{status.st_size} {int(status.st_mtime)} {name}\n")
    path = os.path.join(folder, LIST)
    with open(path, "x", encoding="utf-8", newline="", opener=_private) as file:
        file.write("".join([f"{_FIRST} {len(lines)}\n", *lines]))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def whole(folder: str) -> bool:
    """Whether all is there, and nothing has been written to since."""
    try:
        with open(os.path.join(folder, LIST), encoding="utf-8") as file:
            first, *lines = file.read().splitlines()
        if first != f"{_FIRST} {len(lines)}":
            return False
        return all(_unchanged(folder, *line.split(" ", 2)) for line in lines)
    except (OSError, ValueError, TypeError):
        return False


def _unchanged(folder: str, size: str, time: str, name: str) -> bool:
    status = os.lstat(os.path.join(folder, name))
    return (
        not stat.S_ISDIR(status.st_mode)
        and status.st_size == int(size)
        and int(status.st_mtime) == int(time)
    )
