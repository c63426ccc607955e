"""credlatch as a process: how a test runs it and reads what it says."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

TIMEOUT = 300  # seconds: far more than any call may take, so that a hang fails instead of hanging
# For crowds, and for programs that are slowed down: on a busy machine nine seconds are not enough.
PATIENT = {"CREDLATCH_TIMEOUT": "45"}


class Answer:
    """What one call left behind."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr.decode()

    def json(self) -> Any:
        """Standard output as JSON; the call must have succeeded."""
        assert self.code == 0, (self.code, self.out, self.err)
        return json.loads(self.out)

    @property
    def authorization(self) -> str | None:
        """The one Authorization value of a Bazel answer, or None when there is no header."""
        headers = self.json()["headers"]
        if not headers:
            return None
        (value,) = headers["Authorization"]
        assert isinstance(value, str)
        return value

    def __repr__(self) -> str:
        return f"Answer(code={self.code}, out={self.out!r}, err={self.err!r})"


class Program:
    """credlatch, in one of its forms, run in an isolated home.

    Attributes:
        command: the words that start it, to which arguments are added.
        home: where it runs; ``home.env`` is its whole environment.
    """

    def __init__(self, command: list[str], home: Home, links: Path) -> None:
        self.command = command
        self.home = home
        self._links = links

    def __call__(self, *args: str, stdin: bytes = b"", cwd: Path | None = None) -> Answer:
        """Run ``credlatch ARGS`` with ``stdin`` and wait for it."""
        return Answer(
            subprocess.run(
                [*self.command, *args],
                input=stdin,
                capture_output=True,
                env=self.home.env,
                cwd=cwd or self.home.path,
                timeout=TIMEOUT,
                check=False,
            )
        )

    def bazel(self, uri: str) -> Answer:
        """``credlatch get`` as Bazel calls it."""
        return self("get", stdin=json.dumps({"uri": uri}, separators=(",", ":")).encode())

    def docker(self, action: str, stdin: str | dict[str, str] = "") -> Answer:
        """``credlatch docker ACTION``, which is what docker-credential-credlatch runs."""
        text = stdin if isinstance(stdin, str) else json.dumps(stdin) + "\n"
        return self("docker", action, stdin=text.encode())

    def link_as(self, name: str) -> Path:
        """A folder, for PATH, in which the frozen program is called ``name``."""
        (executable,) = self.command
        self._links.mkdir(parents=True, exist_ok=True)
        path = self._links / name
        if not path.exists():
            path.symlink_to(executable)
        return self._links
