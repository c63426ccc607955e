"""What a program shows at a terminal."""

from __future__ import annotations

import os
import pty
import select
from contextlib import contextmanager
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = 50
_PAUSE = 1.0  # seconds


@contextmanager
def opened(columns: int = 0) -> Iterator[tuple[int, int]]:
    """Our end of a new terminal, and the program's, which whoever starts that closes.

    Args:
        columns: how wide it is; 0: it does not say.
    """
    ours, theirs = pty.openpty()
    if columns:
        ioctl(theirs, TIOCSWINSZ, pack("HHHH", _LINES, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def shown(ours: int) -> Iterator[bytes]:
    """What is shown there, as it comes, until nobody has the other end any more.

    Yields:
        Some of it; nothing, each time that nothing has come for a second.
    """
    while True:
        if not select.select([ours], [], [], _PAUSE)[0]:
            yield b""
            continue
        try:
            some = os.read(ours, 65_536)
        except OSError:  # EIO: they have ended (pty(7))
            return
        if not some:
            return
        yield some


def text(screen: bytes) -> str:
    """What is to be read in what a terminal was sent."""
    return screen.decode(errors="replace").replace("\r\n", "\n")
