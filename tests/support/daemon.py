"""A daemon of the tests' own: started, awaited, and always stopped."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_T = TypeVar("_T")

READY = 60.0  # seconds that a daemon may take to come up, on a machine that is busy
GONE = 30.0  # seconds that it may take to end when asked, before it is killed


class Daemon:
    """A running daemon, whose output goes to a file.

    Attributes:
        log: that file.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.log = log
        self._process = process

    def until(self, ready: Callable[[], _T | None]) -> _T:
        """Wait until ``ready`` gives something, which is the result."""
        deadline = time.monotonic() + READY
        while (found := ready()) is None:
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                state = f"ended with status {ended}" if ended is not None else "is not ready"
                raise RuntimeError(f"{self._process.args!r} {state}:\n{self.said()[-4000:]}")
            time.sleep(0.01)
        return found

    def said(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")


@contextmanager
def running(command: list[str], log: Path, env: dict[str, str] | None = None) -> Iterator[Daemon]:
    """Run ``command`` for as long as the block, with nothing of our environment but PATH.

    Nothing else is inherited, so that no proxy, socket or configuration of the user's is seen. It
    leads a process group of its own, so that Ctrl-C reaches pytest alone, which then stops it.
    """
    given = {"PATH": os.environ.get("PATH", os.defpath), **(env or {})}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Daemon(process, log)
    finally:
        process.terminate()
        try:
            process.wait(GONE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
