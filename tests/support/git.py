"""git itself, in an isolated home, and repositories for it to clone."""

from __future__ import annotations

import re
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.components import need
from support.git_helper import NAME
from support.guarded import Guarded
from support.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program

_WHO = ("-c", "user.name=Test", "-c", "user.email=test@test.example")


class Git(Tool):
    """git, in a home of its own, that asks nobody."""

    def __init__(self, home: Home) -> None:
        super().__init__(home, need("git"), *_WHO)
        home.env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}

    def types(self, username: str, password: str) -> None:
        """Have somebody there who types this when git asks (gitcredentials(7), GIT_ASKPASS)."""
        script = self.home.write(
            "askpass",
            '#!/bin/sh\ncase "$1" in\n'
            f"Username*) printf '%s\\n' {shlex.quote(username)} ;;\n"
            f"*) printf '%s\\n' {shlex.quote(password)} ;;\nesac\n",
            0o700,
        )
        self.home.env["GIT_ASKPASS"] = str(script)

    def nobody_types(self) -> None:
        """Have nobody there."""
        self.home.env.pop("GIT_ASKPASS", None)


def repository(folder: Path, git: Git, name: str = "repo.git") -> Path:
    """A bare repository with one commit, which takes pushes over http."""
    git("init", "--quiet", "--initial-branch=main", "work")
    git.home.write("work/file", "one\n")
    git("-C", "work", "add", "file")
    git("-C", "work", "commit", "--quiet", "--message", "one")
    bare = folder / name
    git("clone", "--quiet", "--bare", "work", str(bare))
    git("-C", str(bare), "config", "http.receivepack", "true")
    return bare


@contextmanager
def serving_repository(git: Git, folder: Path, header: str) -> Iterator[Guarded]:
    """Such a repository, ``/repo.git``, on a server that takes one Authorization header."""
    folder.mkdir()
    repository(folder, git)
    with Guarded(header.__eq__) as server:
        server.repositories = folder
        yield server


class Recorded:
    """Our helper on PATH, which writes down what git says to it."""

    def __init__(self, frozen: Program, folder: Path) -> None:
        self._log = folder / "said"
        ours = frozen.called(NAME).command
        script = folder / "bin" / NAME
        script.parent.mkdir(parents=True)
        log = shlex.quote(str(self._log))
        script.write_text(
            f'#!/bin/sh\n{{ printf "%s: " "$*"; }} >> {log}\n'
            f'tee -a {log} | {shlex.join(ours)} "$@"\n'
        )
        script.chmod(0o755)
        frozen.home.path_begins_with(script.parent)

    def since(self) -> str:
        """What git has said since this was asked last: the operation, and the description.

        Without what newer versions say besides, of themselves and of the server.
        """
        said = self._log.read_text() if self._log.exists() else ""
        self._log.write_text("")
        return re.sub(r"(capability|wwwauth|state)\[\]=.*\n", "", said)
