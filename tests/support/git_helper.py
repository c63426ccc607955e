"""The frozen program as git calls it for credentials, with git's descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Answer, Program

NAME = "git-credential-credlatch"


class GitHelper:
    """The helper.

    Attributes:
        program: what git runs.
        home: where.
    """

    def __init__(self, frozen: Program) -> None:
        self.program = frozen.called(NAME)
        self.home: Home = frozen.home

    def __call__(self, operation: str, *lines: str, host: str = "host.example") -> Answer:
        """Run an operation on a description for ``https://HOST``; more lines may replace its."""
        stdin = "".join(f"{line}\n" for line in ("protocol=https", f"host={host}", *lines, ""))
        return self.program(*operation.split(), stdin=stdin.encode())

    def get(self, *lines: str, host: str = "host.example") -> dict[str, str]:
        """What ``get`` answers; it must succeed and say nothing besides."""
        answer = self("get", *lines, host=host)
        assert (answer.code, answer.err) == (0, ""), answer
        return dict(line.split("=", 1) for line in answer.out.decode().splitlines())

    def done(self, operation: str, *lines: str, host: str = "host.example") -> None:
        """Run ``store`` or ``erase``, which must succeed and say nothing."""
        answer = self(operation, *lines, host=host)
        assert (answer.code, answer.out, answer.err) == (0, b"", ""), answer
