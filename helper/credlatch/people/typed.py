"""What a person types where a program asks, and nobody sees."""

from __future__ import annotations

import os
import sys

from credlatch.errors import RequestError


def can_be_asked() -> bool:
    """Whether there is a terminal, whatever standard input is."""
    try:
        os.close(os.open("CONIN$" if sys.platform == "win32" else "/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


def secret(prompt: str) -> str:
    """Ask without an echo, at the terminal, or on standard input where there is none.

    Raises:
        RequestError: nothing was typed.
    """
    import getpass
    import signal

    # As an exception, Ctrl-C lets getpass give the terminal back as it was.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise RequestError("nothing was typed") from None
