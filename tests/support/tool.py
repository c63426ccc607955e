"""A tool that asks us for credentials, run in an isolated home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.program import Answer, run

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home


class Tool:
    """A program, and the words that it is always given.

    Attributes:
        command: these words; a test may add some.
        home: where it runs; ``home.env`` is its whole environment.
    """

    def __init__(self, home: Home, *command: str) -> None:
        self.home = home
        self.command = [*command]

    def attempt(self, *args: str, stdin: str = "", cwd: Path | None = None) -> Answer:
        """Run it, and take whatever comes of it."""
        return run(self.home, [*self.command, *args], stdin.encode(), cwd)

    def __call__(self, *args: str, stdin: str = "", cwd: Path | None = None) -> Answer:
        """Run it; it must succeed."""
        answer = self.attempt(*args, stdin=stdin, cwd=cwd)
        assert answer.code == 0, (args, answer)
        return answer

    def refused(self, *args: str, stdin: str = "", cwd: Path | None = None) -> str:
        """Run it; it must fail. Gives what it said."""
        answer = self.attempt(*args, stdin=stdin, cwd=cwd)
        assert answer.code != 0, (args, answer)
        return answer.said
