"""A person at a terminal: a command asks, and is answered when what it asks has been shown."""

from __future__ import annotations

import fcntl
import math
import os
import subprocess
import termios
import time
from typing import TYPE_CHECKING, NamedTuple

from devtools import terminal

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


def at_terminal(
    command: Sequence[str],
    home: Home,
    types: str,
    cwd: Path | None = None,
    question: str = "[y/N] ",
) -> Said:
    """Run a command, and type the same answer to each of its questions.

    Args:
        command: its words.
        home: whose it is.
        types: the answer.
        cwd: where it runs, if not there.
        question: what each of them ends with.
    """
    answered = 0

    def answer(screen: str) -> str | None:
        nonlocal answered
        if screen.count(question) <= answered:
            return None
        answered += 1
        return types

    return typed_at(command, home.env, cwd or home.path, answer)


def dialogue(
    command: Sequence[str], home: Home, *steps: tuple[str, str | Callable[[str], str]]
) -> Said:
    """Run a command, each of whose questions has an answer of its own.

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
    text_of: Callable[[bytes], str] = terminal.text,
    has_console: bool = False,
) -> Said:
    """The same in any surroundings; the arguments are `typed_at`'s."""
    left, seen = list(steps), 0

    def answer(screen: str) -> str | None:
        nonlocal seen
        if not left or left[0][0] not in screen[seen:]:
            return None
        shown, types = left.pop(0)
        seen = screen.index(shown, seen) + len(shown)
        return types if isinstance(types, str) else types(screen)

    said = typed_at(command, env, folder, answer, text_of=text_of, has_console=has_console)
    assert not left, f"never asked {left[0][0]!r}:\n{said.screen}"
    return said


def typed_at(
    command: Sequence[str],
    env: dict[str, str],
    folder: Path,
    answer: Callable[[str], str | None],
    *,
    text_of: Callable[[bytes], str] = terminal.text,
    has_console: bool = False,
) -> Said:
    """Run a command at a terminal of its own, until it has ended or somebody loses patience.

    Args:
        command: its words.
        env: its environment.
        folder: where it is started.
        answer: what is typed, once this is on the screen; asked again until that is nothing more.
        text_of: what is to be read in what the terminal is sent.
        has_console: whether Wine makes a console of the terminal: then Ctrl-C is not the terminal's
            to interpret, and what is typed is echoed by the terminal until the console is read.
    """
    screen, has_ended = b"", False
    with (
        terminal.opened() as (ours, theirs),
        subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=env,
            cwd=folder,
            start_new_session=True,
            # Ctrl-C comes from a terminal of its own.
            preexec_fn=None if has_console else _take_terminal,  # noqa: PLW1509
        ) as process,
    ):
        os.close(theirs)
        deadline, again = time.monotonic() + PATIENCE, math.inf
        try:
            for some in terminal.shown(ours):
                screen += some
                while (typed := answer(text_of(screen))) is not None:
                    while has_console and _echoes(ours) and time.monotonic() < deadline:
                        time.sleep(0.05)
                    os.write(ours, typed.encode())
                    again = time.monotonic() + _AGAIN if typed == INTERRUPT else math.inf
                # One that comes in the moment before Python begins to read is not seen by it.
                if time.monotonic() > again:
                    os.write(ours, INTERRUPT.encode())
                    again = time.monotonic() + _AGAIN
                if time.monotonic() > deadline:
                    break
            else:
                has_ended = True
        finally:
            if not has_ended:
                process.kill()
        code = process.wait(TIMEOUT)
    return Said(code, text_of(screen))


def _echoes(ours: int) -> bool:
    return bool(termios.tcgetattr(ours)[3] & termios.ECHO)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
