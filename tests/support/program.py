"""credlatch as a process, and others: how a test runs them and reads what they say."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.home import Home

TIMEOUT = 300  # seconds: far more than any call may take, so that a hang fails instead of hanging
IN_TIME = 30.0  # seconds: a call has nine, and this machine may be busy


class Answer(NamedTuple):
    """What one call left behind."""

    code: int
    out: bytes
    err: str

    @property
    def said(self) -> str:
        """Both streams: programs differ in which one they use."""
        return self.out.decode() + self.err

    def json(self) -> Any:
        """Standard output as JSON; the call must have succeeded."""
        assert self.code == 0, self
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


def run(
    home: Home,
    command: Sequence[str | Path],
    stdin: bytes = b"",
    cwd: Path | None = None,
    **options: Any,
) -> Answer:
    """Run a command in a home, in a session of its own, and wait for it.

    Args:
        home: where it runs; ``home.env`` is its whole environment.
        command: the words.
        stdin: what it reads.
        cwd: its folder, if it is not the home.
        options: as for ``subprocess.run``.
    """
    pipes = {} if "stdout" in options else {"stdout": subprocess.PIPE}
    pipes |= {} if "stderr" in options else {"stderr": subprocess.PIPE}
    done = subprocess.run(
        command,
        input=stdin,
        cwd=cwd or home.path,
        timeout=TIMEOUT,
        start_new_session=True,
        check=False,
        **{"env": home.env, **pipes, **options},
    )
    return Answer(done.returncode, done.stdout or b"", (done.stderr or b"").decode())


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
        return run(self.home, [*self.command, *args], stdin, cwd)

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

    def called(self, name: str) -> Program:
        """The same program, in the same home, called by a name that says what it is to do."""
        link = self.link_as(name) / name
        return Program([str(link)], self.home, link.parent / "links")

    def put_on_path(self, *names: str) -> Path:
        """Have the frozen program on the home's PATH, by these names; the folder."""
        for name in names or ("credlatch", "docker-credential-credlatch"):
            self.link_as(name)
        self.home.path_begins_with(self._links)
        return self._links
