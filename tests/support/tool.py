"""A tool that asks us for credentials, run in an isolated home."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from support.program import TIMEOUT

if TYPE_CHECKING:
    from support.home import Home


class Tool:
    """A program, and the words that it is always given.

    Attributes:
        home: where it runs.
    """

    def __init__(self, home: Home, *command: str) -> None:
        self.home = home
        self._command = command

    def attempt(self, *args: str, stdin: str = "") -> tuple[int, str]:
        """Run it, and take whatever comes of it: the exit status, and both its streams."""
        done = subprocess.run(
            [*self._command, *args],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.home.env,
            cwd=self.home.path,
            timeout=TIMEOUT,
            start_new_session=True,
            check=False,
        )
        return done.returncode, done.stdout

    def __call__(self, *args: str, stdin: str = "") -> str:
        """Run it; it must succeed. Gives what it said."""
        code, said = self.attempt(*args, stdin=stdin)
        assert code == 0, (args, said)
        return said

    def refused(self, *args: str, stdin: str = "") -> str:
        """Run it; it must fail. Gives what it said."""
        code, said = self.attempt(*args, stdin=stdin)
        assert code != 0, (args, said)
        return said
