"""A person at a terminal: a command asks, and each of its questions gets an answer of its own."""

from __future__ import annotations

import math
import os
import pty
import select
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.home import Home

PATIENCE = 120.0  # seconds
INTERRUPT = "\x03"
_AGAIN = 10.0  # seconds after which a person who wants to interrupt does it again


class Said(NamedTuple):
    """What a command has left behind.

    Attributes:
        code: its exit status.
        screen: all that the terminal showed.
    """

    code: int
    screen: str


def _text_of(screen: bytes) -> str:
    return screen.decode(errors="replace").replace("\r\n", "\n")


def dialogue(
    command: Sequence[str],
    home: Home,
    *steps: tuple[str, str | Callable[[str], str]],
) -> Said:
    """Run a command at a terminal; the answers are typed when what they answer has been shown.

    Args:
        command: its words.
        home: where it runs.
        steps: what it shows, and what is typed then; or what makes that of the screen.
    """
    env = home.env | {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "120"}
    return spoken(command, env, home.path, *steps)


def spoken(
    command: Sequence[str],
    env: dict[str, str],
    folder: Path,
    *steps: tuple[str, str | Callable[[str], str]],
    text_of: Callable[[bytes], str] = _text_of,
    has_console: bool = False,
) -> Said:
    """The same in any surroundings.

    Args:
        command: its words.
        env: its environment.
        folder: where it is started.
        steps: as of ``dialogue``.
        text_of: what is to be read in what the terminal is sent.
        has_console: whether Wine makes a console of the terminal: then Ctrl-C is not the terminal's
            to interpret, and what is typed is echoed by the terminal until the console is read.
    """
    ours, theirs = pty.openpty()
    screen, left = b"", list(steps)
    seen = 0
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=env,
        cwd=folder,
        start_new_session=True,
        # Ctrl-C comes from a terminal of its own.
        preexec_fn=None if has_console else _take_terminal,  # noqa: PLW1509
    ) as process:
        os.close(theirs)
        deadline = time.monotonic() + PATIENCE
        again = math.inf
        try:
            while time.monotonic() < deadline:
                # One that comes in the moment before Python begins to read is not seen by it.
                if time.monotonic() > again:
                    os.write(ours, INTERRUPT.encode())
                    again = time.monotonic() + _AGAIN
                if not select.select([ours], [], [], 1.0)[0]:
                    continue
                try:
                    chunk = os.read(ours, 65_536)
                except OSError:
                    break  # it has ended (EIO, pty(7))
                if not chunk:
                    break
                screen += chunk
                text = text_of(screen)
                while left and left[0][0] in text[seen:]:
                    shown, answer = left.pop(0)
                    seen = text.index(shown, seen) + len(shown)
                    typed = answer if isinstance(answer, str) else answer(text)
                    while has_console and _echoes(ours) and time.monotonic() < deadline:
                        time.sleep(0.05)
                    os.write(ours, typed.encode())
                    again = time.monotonic() + _AGAIN if typed == INTERRUPT else math.inf
        finally:
            os.close(ours)
            if left:
                process.kill()
        code = process.wait(TIMEOUT)
    text = text_of(screen)
    assert not left, f"never asked {left[0][0]!r}:\n{text}"
    return Said(code, text)


def _echoes(terminal: int) -> bool:
    import termios

    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
