"""What a person pastes while something else is waited for as well."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 65_536  # characters of a line
_ERASES = "\x7f\b"


@contextmanager
def at_once() -> Iterator[None]:
    """Have what is typed come key by key: a terminal keeps no line of more than 4095 bytes.

    On macOS that is 1024, and a URL with a provider's code may be longer.
    """
    if sys.platform == "win32":
        yield
        return
    import termios

    try:
        before = termios.tcgetattr(0)
    except termios.error:
        yield
        return
    keys = list(before[6])
    keys[termios.VMIN], keys[termios.VTIME] = 1, 0
    now = [*before[:3], before[3] & ~termios.ICANON, *before[4:6], keys]
    termios.tcsetattr(0, termios.TCSADRAIN, now)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


class Line:
    """What is typed, key by key, until it is a line that is not empty."""

    def __init__(self) -> None:
        self._text = ""

    def read(self) -> str | None:
        """What has been typed since the last line, once Enter is pressed; never waits.

        Raises:
            EOFError: nothing more comes.
        """
        try:
            typed = os.read(0, _LONGEST)
        except BlockingIOError:
            return None
        except OSError:
            raise EOFError from None
        if not typed:
            raise EOFError
        lines = []
        for letter in typed.decode("utf-8", "replace"):
            if letter in "\r\n":
                lines.append(self._text.strip())
                self._text = ""
            else:
                self._text = self._text[:-1] if letter in _ERASES else self._text + letter
        self._text = self._text[:_LONGEST]
        return next(filter(None, lines), None)
