"""What is safe to be done to a file or folder of the user's, and the command that does the same."""

from __future__ import annotations

import os
import re
import stat
import sys

from credlatch.fixes import shell
from credlatch.system import owners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Repair = Callable[[], str]
    Mending = tuple[str, Repair | None]

FILE, FOLDER = 0o600, 0o700
_LINE = re.compile(r"\bline (\d+)\b")


def of(path: str, why: str = "") -> Mending:
    """What mends a file that cannot be used, by what it is; a command, and what does it.

    Args:
        path: the file.
        why: what its reader says of it, with the line where that is known.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            status = os.stat(path)
    except OSError:
        return "", None
    if sys.platform != "win32" and status.st_uid != os.geteuid():
        strange = not owners.is_trusted(status.st_uid)
        if strange or not os.access(path, os.R_OK):  # root's own, left by sudo
            return shell.made_mine(path), None
    if not stat.S_ISREG(status.st_mode):
        return shell.put_aside(path), None
    mode = status.st_mode
    if sys.platform != "win32" and (mode & stat.S_IWOTH or not mode & stat.S_IRUSR):
        return closed(path, FILE)
    return shell.edited(path, line_in(why)), None


def line_in(why: str) -> int:
    """The line that a message names; 0: it names none."""
    line = _LINE.search(why)
    return int(line[1]) if line else 0


def closed(path: str, mode: int) -> Mending:
    """A file or folder made its owner's alone, where that is the user."""
    command = shell.with_mode(mode, path)
    if _is_of_another(path):  # whose it is says who else may read it
        return shell.both(shell.made_mine(path), command), None

    def repair() -> str:
        os.chmod(path, mode)
        return command

    return command, repair if _is_mine(path) else None


def _is_of_another(path: str) -> bool:
    if sys.platform == "win32" or os.geteuid() == 0:
        return False
    try:
        return os.stat(path).st_uid != os.geteuid()
    except OSError:
        return False


def _is_mine(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    is_link = stat.S_ISLNK(status.st_mode)  # whose target may be meant for others
    return sys.platform != "win32" and not is_link and status.st_uid == os.geteuid()


def gone(path: str) -> Mending:
    """A file or link of the user's removed, of which nothing is left to be kept."""
    command = shell.removed(path)

    def repair() -> str:
        os.unlink(path)
        return command

    return command, repair
