"""A command at a terminal, whose questions are answered."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from typing import TYPE_CHECKING

from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.home import Home

_QUESTION = b"[y/N] "


def at_terminal(
    command: Sequence[str],
    home: Home,
    types: bytes,
    cwd: Path | None = None,
    question: bytes = _QUESTION,
) -> tuple[int, str]:
    """Run a command, and type the same answer to each of its questions; status and screen."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=home.env,
        cwd=cwd or home.path,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        screen, answered = b"", 0
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                chunk = os.read(ours, 65_536)
            except OSError:
                break  # it has ended (EIO, pty(7))
            if not chunk:
                break
            screen += chunk
            while screen.count(question) > answered:
                answered += 1
                os.write(ours, types)
        os.close(ours)
        code = process.wait(TIMEOUT)
    return code, screen.decode().replace("\r\n", "\n")
